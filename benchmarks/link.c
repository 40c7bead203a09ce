/* One TLS connection after the other, none of them blocking: bytes in, bytes out.
 *
 * In: readiness from epoll. Out: whole packets, to `wire->take`. What goes wrong ends the link and
 * is told to `load_dead`. What is written waits until `links_flush`, so that all that one turn of
 * the loop has to say on a link is one TLS record.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

enum { RECORD = 16384, EVENTS = 512 };

static SSL_CTX *context;
static int poller;
static struct sockaddr_in server;
static uint64_t total_read;

static Link **unflushed;
static size_t unflushed_count, unflushed_cap;

static void *grow(void *data, size_t size) {
    data = realloc(data, size);
    if (!data) {
        fprintf(stderr, "load: out of memory\n");
        exit(1);
    }
    return data;
}

void buffer_put(Buffer *buffer, const void *data, size_t len) {
    if (len == 0) return;
    if (buffer->len + len > buffer->cap) {
        buffer->cap = (buffer->len + len) * 2;
        buffer->data = grow(buffer->data, buffer->cap);
    }
    memcpy(buffer->data + buffer->len, data, len);
    buffer->len += len;
}

static void buffer_drop(Buffer *buffer, size_t len) {
    buffer->len -= len;
    if (buffer->len) {
        memmove(buffer->data, buffer->data + len, buffer->len);
    } else { /* thousands of links, few of them in the middle of a packet */
        free(buffer->data);
        *buffer = (Buffer){0};
    }
}

void links_open(unsigned short port) {
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL); /* the certificate is made for the run */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    poller = epoll_create1(0);
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

uint64_t bytes_read(void) { return total_read; }

/* ---------------------------------------------------------------- beginning and end */

void link_open(Link *link) {
    int one = 1;
    link->phase = CONNECTING;
    link->wants_write = true;
    link->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (link->fd < 0) {
        link_fail(link, strerror(errno));
        return;
    }
    setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(link->fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS) {
        link_fail(link, strerror(errno));
        return;
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = link};
    epoll_ctl(poller, EPOLL_CTL_ADD, link->fd, &event);
}

void link_fail(Link *link, const char *why) {
    if (link->phase == DEAD) return;
    load_dead(link, why);
    link->phase = DEAD;
    ERR_clear_error();
    if (link->ssl) SSL_free(link->ssl);
    link->ssl = NULL;
    if (link->fd >= 0) close(link->fd);
}

static void await_writable(Link *link, bool wanted) {
    if (wanted == link->wants_write) return;
    link->wants_write = wanted;
    struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.ptr = link};
    epoll_ctl(poller, EPOLL_CTL_MOD, link->fd, &event);
}

/* What OpenSSL's no means: wait for one or the other; false: the link is broken. */
static bool may_go_on(Link *link, int result) {
    int error = SSL_get_error(link->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        await_writable(link, error == SSL_ERROR_WANT_WRITE);
        return true;
    }
    return false;
}

/* ---------------------------------------------------------------- out */

void link_write(Link *link, const void *data, size_t len) {
    if (link->phase == DEAD) return;
    buffer_put(&link->out, data, len);
    if (link->in_flush_list) return;
    link->in_flush_list = true;
    if (unflushed_count == unflushed_cap) {
        unflushed_cap = unflushed_cap * 2 + 64;
        unflushed = grow(unflushed, unflushed_cap * sizeof *unflushed);
    }
    unflushed[unflushed_count++] = link;
}

static void flush(Link *link) {
    if (link->phase == DEAD || !link->out.len) return;
    while (link->written < link->out.len) {
        int count = SSL_write(link->ssl, link->out.data + link->written,
                              (int)(link->out.len - link->written));
        if (count > 0) {
            link->written += (size_t)count;
        } else {
            if (!may_go_on(link, count)) link_fail(link, "writing failed");
            return;
        }
    }
    link->written = 0;
    buffer_drop(&link->out, link->out.len);
    await_writable(link, false);
}

void links_flush(void) {
    for (size_t i = 0; i < unflushed_count; i++) {
        unflushed[i]->in_flush_list = false;
        flush(unflushed[i]);
    }
    unflushed_count = 0;
}

/* ---------------------------------------------------------------- in */

static size_t take_packets(Link *link, char *data, size_t len) {
    size_t used = 0, step;
    while (used < len && link->phase != DEAD && (step = wire->take(link, data + used, len - used)))
        used += step;
    return used;
}

static void receive(Link *link) {
    static char record[RECORD];
    while (link->phase != DEAD) {
        int count = SSL_read(link->ssl, record, sizeof record);
        if (count <= 0) {
            if (!may_go_on(link, count)) link_fail(link, "the server closed the connection");
            return;
        }
        total_read += (uint64_t)count;
        if (link->in.len) {
            buffer_put(&link->in, record, (size_t)count);
            buffer_drop(&link->in, take_packets(link, link->in.data, link->in.len));
        } else {
            size_t used = take_packets(link, record, (size_t)count);
            buffer_put(&link->in, record + used, (size_t)count - used);
        }
    }
}

static bool shake_hands(Link *link) {
    if (link->phase == CONNECTING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {
            link_fail(link, strerror(error));
            return false;
        }
        link->phase = SHAKING_HANDS;
        link->ssl = SSL_new(context);
        SSL_set_fd(link->ssl, link->fd);
        SSL_set_connect_state(link->ssl);
        SSL_set_tlsext_host_name(link->ssl, "localhost");
    }
    int result = SSL_do_handshake(link->ssl);
    if (result != 1) {
        if (!may_go_on(link, result)) link_fail(link, "the TLS handshake failed");
        return false;
    }
    link->phase = REGISTERING;
    await_writable(link, false);
    wire->greet(link);
    return true;
}

void links_poll(int timer, int milliseconds) {
    static struct epoll_event events[EVENTS];
    static bool timed;
    if (timer >= 0 && !timed) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
        epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event);
        timed = true;
    }
    int count = epoll_wait(poller, events, EVENTS, milliseconds);
    for (int i = 0; i < count; i++) {
        Link *link = events[i].data.ptr;
        if (!link) {
            uint64_t expirations;
            if (read(timer, &expirations, sizeof expirations) < 0) continue;
        } else if (link->phase != DEAD &&
                   (link->phase >= REGISTERING || shake_hands(link))) {
            if (events[i].events & EPOLLOUT) flush(link);
            if (link->phase != DEAD) receive(link);
        }
    }
    links_flush();
}
