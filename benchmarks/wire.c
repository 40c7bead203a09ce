/* What is said on a link: our wire (docs/protocol.md), IRC, MQTT 3.1.1 (QoS 0) and NATS.
 *
 * `take` is given bytes that begin with a packet and uses up one of them. Client i calls itself
 * b<i> and talks in bench<room>. A packet that is none of those awaited is passed over; a refusal
 * is told to `load_refused`.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

const Wire *wire;

static bool begins(const char *data, size_t len, const char *with) {
    size_t size = strlen(with);
    return len >= size && memcmp(data, with, size) == 0;
}

static char *find(char *data, size_t len, const char *what) {
    return memmem(data, len, what, strlen(what));
}

__attribute__((format(printf, 2, 3))) static void write_line(Link *link, const char *form, ...) {
    char text[512];
    va_list values;
    va_start(values, form);
    int len = vsnprintf(text, sizeof text, form, values);
    va_end(values);
    link_write(link, text, (size_t)len);
}

/* ---------------------------------------------------------------- our wire */

static void write_frame(Link *link, const char *head, const char *text, size_t len) {
    size_t head_len = strlen(head);
    uint32_t size = htonl((uint32_t)(head_len + len + 2));
    link_write(link, &size, sizeof size);
    link_write(link, head, head_len);
    link_write(link, text, len);
    link_write(link, "\"}", 2);
}

static void native_greet(Link *link) {
    char nick[16];
    int len = snprintf(nick, sizeof nick, "b%u", link->index);
    write_frame(link, "{\"type\":\"command\",\"id\":\"h\",\"name\":\"hello\",\"protocol\":1,\"nick\":\"",
                nick, (size_t)len);
}

static void native_say(Link *link, const char *text, size_t len) {
    char head[128];
    snprintf(head, sizeof head, "{\"type\":\"chat\",\"id\":\"%x-%u-%llu\",\"to\":\"#bench%u\",\"text\":\"",
             (unsigned)getpid(), link->index, (unsigned long long)link->said, link->room);
    write_frame(link, head, text, len);
}

static void native_join(Link *link) {
    char room[32];
    int len = snprintf(room, sizeof room, "#bench%u", link->room);
    write_frame(link, "{\"type\":\"command\",\"id\":\"j\",\"name\":\"join\",\"room\":\"", room, (size_t)len);
}

static void native_chat(Link *link, char *json, size_t len) {
    char *seq = find(json, len, "\"seq\":"), *text = find(json, len, "\"text\":\"");
    if (!seq || !text) {
        load_refused(link, json, len);
        return;
    }
    ledger_number(link, strtoull(seq + 6, NULL, 10));
    load_heard(link, text + 8, len - (size_t)(text + 8 - json));
}

static void native_system(Link *link, char *json, size_t len) {
    if (find(json, len, "\"event\":\"error\"")) load_refused(link, json, len);
    else if (find(json, len, "\"event\":\"welcome\"")) native_join(link);
    else if (find(json, len, "\"event\":\"joined\"") && find(json, len, "\"re\":\"j\"")) load_ready(link);
    else if (find(json, len, "\"event\":\"ping\""))
        write_frame(link, "{\"type\":\"command\",\"id\":\"p\",\"name\":\"pong", "", 0);
}

static size_t native_take(Link *link, char *data, size_t len) {
    uint32_t size;
    if (len < sizeof size) return 0;
    memcpy(&size, data, sizeof size);
    size = ntohl(size);
    if (len - sizeof size < size) return 0;
    char *json = data + sizeof size;
    if (begins(json, size, "{\"type\":\"chat\"")) native_chat(link, json, size);
    else native_system(link, json, size);
    return sizeof size + size;
}

/* ---------------------------------------------------------------- IRC */

static void irc_greet(Link *link) {
    write_line(link, "NICK b%u\r\nUSER b 0 * :b\r\n", link->index);
}

static void irc_say(Link *link, const char *text, size_t len) {
    write_line(link, "PRIVMSG #bench%u :", link->room);
    link_write(link, text, len);
    link_write(link, "\r\n", 2);
}

static size_t irc_take(Link *link, char *data, size_t len) {
    char *end = memchr(data, '\n', len), *text;
    if (!end) return 0;
    size_t line = (size_t)(end - data);
    char *verb = data[0] == ':' ? memchr(data, ' ', line) : NULL;
    size_t rest = verb ? line - (size_t)(verb - data) : 0;
    if (verb && begins(verb, rest, " PRIVMSG ") && (text = find(verb, rest, " :")))
        load_heard(link, text + 2, line - (size_t)(text + 2 - data));
    else if (begins(data, line, "PING "))
        write_line(link, "PONG %.*s\n", (int)line - 5, data + 5);
    else if (begins(data, line, "ERROR") || (verb && (verb[1] == '4' || verb[1] == '5') &&
                                             !begins(verb, rest, " 422 "))) /* no message of the day */
        load_refused(link, data, line);
    else if (verb && begins(verb, rest, " 001 ")) write_line(link, "JOIN #bench%u\r\n", link->room);
    else if (verb && begins(verb, rest, " 366 ")) load_ready(link); /* the end of who is there */
    return line + 1;
}

/* ---------------------------------------------------------------- NATS */

static void nats_greet(Link *link) {
    write_line(link, "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB bench%u 1\r\nPING\r\n",
               link->room);
}

static void nats_say(Link *link, const char *text, size_t len) {
    write_line(link, "PUB bench%u %zu\r\n", link->room, len);
    link_write(link, text, len);
    link_write(link, "\r\n", 2);
}

static size_t nats_take(Link *link, char *data, size_t len) {
    char *end = memchr(data, '\n', len);
    if (!end) return 0;
    size_t line = (size_t)(end - data) + 1;
    if (begins(data, line, "MSG ")) { /* MSG <subject> <subscription> <bytes> */
        char *space = memrchr(data, ' ', line);
        size_t size = strtoul(space + 1, NULL, 10);
        if (len < line + size + 2) return 0;
        load_heard(link, end + 1, size);
        return line + size + 2;
    }
    if (begins(data, line, "PING")) write_line(link, "PONG\r\n");
    else if (begins(data, line, "PONG")) load_ready(link);
    else if (begins(data, line, "-ERR")) load_refused(link, data, line);
    return line;
}

/* ---------------------------------------------------------------- MQTT */

static void mqtt_write(Link *link, unsigned char kind, const char *head, size_t head_len,
                       const char *body, size_t body_len) {
    unsigned char start[5] = {kind};
    size_t used = 1, left = head_len + body_len;
    do {
        start[used] = left & 127;
        left >>= 7;
        if (left) start[used] |= 128;
        used++;
    } while (left);
    link_write(link, start, used);
    link_write(link, head, head_len);
    link_write(link, body, body_len);
}

/* A string as MQTT has it: two bytes of length, then the bytes. */
static size_t mqtt_string(char *into, const char *form, unsigned number) {
    int len = sprintf(into + 2, form, number);
    into[0] = 0;
    into[1] = (char)len;
    return (size_t)len + 2;
}

static void mqtt_greet(Link *link) {
    char id[32];
    size_t len = mqtt_string(id, "b%u", link->index);
    mqtt_write(link, 0x10, "\0\4MQTT\4\2\0\0", 10, id, len); /* clean session, no keep-alive */
}

static void mqtt_say(Link *link, const char *text, size_t len) {
    char topic[32];
    size_t size = mqtt_string(topic, "bench%u", link->room);
    mqtt_write(link, 0x30, topic, size, text, len);
}

static size_t mqtt_take(Link *link, char *data, size_t len) {
    size_t size = 0, head = 1;
    unsigned shift = 0;
    do {
        if (head >= len) return 0;
        size |= (size_t)(data[head] & 127) << shift;
        shift += 7;
    } while (data[head++] & 128);
    if (len - head < size) return 0;
    char *body = data + head, topic[34] = {0, 1};
    switch ((unsigned char)data[0] >> 4) {
    case 2: /* CONNACK */
        if (size < 2 || body[1] != 0) load_refused(link, "CONNACK", 7);
        size_t used = mqtt_string(topic + 2, "bench%u", link->room);
        mqtt_write(link, 0x82, topic, 2 + used, "\0", 1);
        break;
    case 3: { /* PUBLISH */
        size_t skip = 2 + ((size_t)(unsigned char)body[0] << 8 | (unsigned char)body[1]);
        if (skip <= size) load_heard(link, body + skip, size - skip);
        break;
    }
    case 9: /* SUBACK */
        load_ready(link);
        break;
    }
    return head + size;
}

/* ---------------------------------------------------------------- all of them */

static const Wire wires[] = {
    {"securechat", true, native_greet, native_say, native_take},
    {"irc", false, irc_greet, irc_say, irc_take},
    {"mqtt", true, mqtt_greet, mqtt_say, mqtt_take},
    {"nats", true, nats_greet, nats_say, nats_take},
};

const Wire *wire_named(const char *name) {
    for (size_t i = 0; i < sizeof wires / sizeof *wires; i++)
        if (strcmp(wires[i].name, name) == 0) return &wires[i];
    return NULL;
}
