/* The floor: the least that a server in C can do for our wire. `floor PORT CERT KEY`.
 *
 * One thread, epoll, OpenSSL. It finds the values of an envelope where the load generator puts them
 * and looks at nothing else; it numbers messages, hands each room's messages of one turn of the
 * loop to all its members as one shared piece, and keeps nothing. No validation, no storage, no
 * limits, no fairness: what is left is OpenSSL and the kernel, the limit for any server of this
 * wire. It is no example of how to write one.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOMS = 20000, RECORD = 16384, EVENTS = 1024, MOST_FRAME = 65536 };

typedef struct {
    char *data;
    size_t len, cap;
} Buffer;

typedef struct Client {
    int fd, room;
    bool greeted, waiting, dead;
    SSL *ssl;
    Buffer in, out;
    char nick[33];
} Client;

typedef struct {
    Client **members;
    size_t count, cap;
    Buffer chunk;
    uint64_t seq;
} Room;

static Room rooms[ROOMS];
static int spoken[ROOMS], spoken_count;
static SSL_CTX *context;
static int poller;

static void put(Buffer *buffer, const void *data, size_t len) {
    if (len == 0) return;
    if (buffer->len + len > buffer->cap) {
        buffer->cap = (buffer->len + len) * 2;
        buffer->data = realloc(buffer->data, buffer->cap);
        if (!buffer->data) abort();
    }
    memcpy(buffer->data + buffer->len, data, len);
    buffer->len += len;
}

static void drop(Buffer *buffer, size_t len) {
    buffer->len -= len;
    if (buffer->len) {
        memmove(buffer->data, buffer->data + len, buffer->len);
    } else {
        free(buffer->data);
        *buffer = (Buffer){0};
    }
}

static void bury(Client *client) {
    if (client->dead) return;
    client->dead = true; /* the struct stays: an event of this turn may still name it */
    Room *room = client->room >= 0 ? &rooms[client->room] : NULL;
    for (size_t i = 0; room && i < room->count; i++)
        if (room->members[i] == client) room->members[i] = room->members[--room->count];
    SSL_free(client->ssl);
    close(client->fd);
    drop(&client->in, client->in.len);
    drop(&client->out, client->out.len);
}

static void watch(Client *client, bool writable) {
    if (client->waiting == writable) return;
    client->waiting = writable;
    struct epoll_event event = {.events = EPOLLIN | (writable ? EPOLLOUT : 0), .data.ptr = client};
    epoll_ctl(poller, EPOLL_CTL_MOD, client->fd, &event);
}

/* False: the link is broken. */
static bool only_later(Client *client, int result) {
    int error = SSL_get_error(client->ssl, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/* How much went out now. */
static size_t write_some(Client *client, const char *data, size_t len) {
    size_t written = 0;
    while (written < len) {
        int count = SSL_write(client->ssl, data + written, (int)(len - written));
        if (count <= 0) {
            if (!only_later(client, count)) bury(client);
            break;
        }
        written += (size_t)count;
    }
    return written;
}

static void send_to(Client *client, const char *data, size_t len) {
    size_t written = client->out.len ? 0 : write_some(client, data, len);
    if (client->dead || written == len) return;
    put(&client->out, data + written, len - written);
    watch(client, true);
}

static void send_event(Client *client, const char *json) {
    uint32_t size = htonl((uint32_t)strlen(json));
    char frame[256];
    memcpy(frame, &size, sizeof size);
    memcpy(frame + sizeof size, json, strlen(json));
    send_to(client, frame, sizeof size + strlen(json));
}

/* ---------------------------------------------------------------- what clients say */

static char *value_of(char *json, const char *key, int *len) {
    char *value = strstr(json, key);
    if (!value) return NULL;
    value += strlen(key);
    *len = (int)strcspn(value, "\"");
    return value;
}

static void join(Client *client, int number) {
    Room *room = &rooms[number % ROOMS];
    if (room->count == room->cap) {
        room->cap = room->cap * 2 + 8;
        room->members = realloc(room->members, room->cap * sizeof *room->members);
        if (!room->members) abort();
    }
    room->members[room->count++] = client;
    client->room = number % ROOMS;
    send_event(client, "{\"type\":\"system\",\"re\":\"j\",\"event\":\"joined\"}");
}

static void chat(Client *client, char *json) {
    int id_len, to_len, text_len;
    char *id = value_of(json, "\"id\":\"", &id_len), *to = value_of(json, "\"to\":\"", &to_len);
    char *text = value_of(json, "\"text\":\"", &text_len);
    if (!id || !to || !text || client->room < 0) return;
    Room *room = &rooms[client->room];
    char frame[MOST_FRAME];
    int len = snprintf(frame + 4, sizeof frame - 4,
                       "{\"type\":\"chat\",\"id\":\"%.*s\",\"to\":\"%.*s\",\"sender\":\"%s\",\"seq\":%llu,"
                       "\"ts\":\"2026-01-01T00:00:00.000000Z\",\"text\":\"%.*s\"}",
                       id_len, id, to_len, to, client->nick, (unsigned long long)++room->seq,
                       text_len, text);
    uint32_t size = htonl((uint32_t)len);
    memcpy(frame, &size, sizeof size);
    if (!room->chunk.len) spoken[spoken_count++] = client->room;
    put(&room->chunk, frame, sizeof size + (size_t)len);
}

static void obey(Client *client, char *json) {
    int len;
    char *value;
    if (strstr(json, "\"type\":\"chat\"")) {
        chat(client, json);
    } else if ((value = value_of(json, "\"nick\":\"", &len))) {
        snprintf(client->nick, sizeof client->nick, "%.*s", len, value);
        send_event(client, "{\"type\":\"system\",\"re\":\"h\",\"event\":\"welcome\"}");
    } else if ((value = value_of(json, "\"room\":\"#bench", &len))) {
        join(client, atoi(value));
    }
}

static void obey_all(Client *client) {
    size_t used = 0;
    uint32_t size;
    while (client->in.len - used >= sizeof size) {
        memcpy(&size, client->in.data + used, sizeof size);
        size = ntohl(size);
        if (size >= MOST_FRAME) {
            bury(client);
            return;
        }
        if (client->in.len - used - sizeof size < size) break;
        char json[MOST_FRAME];
        memcpy(json, client->in.data + used + sizeof size, size);
        json[size] = 0;
        obey(client, json);
        if (client->dead) return;
        used += sizeof size + size;
    }
    drop(&client->in, used);
}

static void deliver(void) {
    for (int i = 0; i < spoken_count; i++) {
        Room *room = &rooms[spoken[i]];
        for (size_t k = room->count; k-- > 0;) /* who is buried moves the last one here */
            send_to(room->members[k], room->chunk.data, room->chunk.len);
        room->chunk.len = 0;
    }
    spoken_count = 0;
}

/* ---------------------------------------------------------------- the loop */

static void welcome_all(int listener) {
    int one = 1, fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        Client *client = calloc(1, sizeof *client);
        if (!client) abort();
        client->fd = fd;
        client->room = -1;
        client->ssl = SSL_new(context);
        SSL_set_fd(client->ssl, fd);
        SSL_set_accept_state(client->ssl);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

static void serve(Client *client, uint32_t events) {
    if (client->dead) return;
    if (!client->greeted) {
        int result = SSL_do_handshake(client->ssl);
        if (result != 1) {
            if (!only_later(client, result)) bury(client);
            return;
        }
        client->greeted = true;
    }
    if (events & EPOLLOUT) {
        size_t written = write_some(client, client->out.data, client->out.len);
        if (client->dead) return;
        drop(&client->out, written);
        watch(client, client->out.len > 0);
    }
    while (!client->dead) {
        char record[RECORD];
        int count = SSL_read(client->ssl, record, sizeof record);
        if (count <= 0) {
            if (!only_later(client, count)) bury(client);
            break;
        }
        put(&client->in, record, (size_t)count);
        if (!SSL_has_pending(client->ssl)) break;
    }
    if (!client->dead) obey_all(client);
}

static int listen_at(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) {
        perror("floor");
        exit(1);
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    return listener;
}

int main(int count, char **values) {
    if (count != 4) {
        fprintf(stderr, "floor PORT CERT KEY\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_CTX_use_certificate_chain_file(context, values[2]) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, values[3], SSL_FILETYPE_PEM) != 1) {
        fprintf(stderr, "floor: the certificate or its key cannot be used\n");
        return 1;
    }
    poller = epoll_create1(0);
    int listener = listen_at(atoi(values[1]));
    for (;;) {
        static struct epoll_event events[EVENTS];
        int ready = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr) serve(events[i].data.ptr, events[i].events);
            else welcome_all(listener);
        }
        deliver();
    }
}
