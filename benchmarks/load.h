/* What the parts of the load generator know of each other.
 *
 *     load.c      options, the phases of a run, the report
 *     link.c      one TLS connection: bytes in, bytes out, never blocking
 *     wire.c      what is said on it: our wire, IRC, MQTT or NATS
 *     ledger.c    who must have heard what: lost, twice, out of order; the latencies
 *     usage.c     what the server's processes took of the machine
 *
 * One thread does everything, so nothing here is locked.
 */
#ifndef LOAD_H
#define LOAD_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---------------------------------------------------------------- link.c */

typedef struct {
    char *data;
    size_t len, cap;
} Buffer;

typedef enum { CONNECTING, SHAKING_HANDS, REGISTERING, READY, DEAD } Phase;

typedef struct Link {
    int fd;
    unsigned index, room;
    Phase phase;
    bool wants_write, in_flush_list;
    SSL *ssl;
    Buffer in, out;    /* what is no whole packet yet; what was not written yet */
    size_t written;    /* of `out` */
    uint64_t said;     /* messages, numbered from 1 */
    unsigned owed;     /* messages it may say as soon as the loop comes round */
    uint64_t seq;      /* of the last message; our wire only */
} Link;

void buffer_put(Buffer *buffer, const void *data, size_t len);

void links_open(unsigned short port); /* once, before any link */
void link_open(Link *link);           /* begin to connect */
void link_write(Link *link, const void *data, size_t len); /* written by `links_flush` */
void link_fail(Link *link, const char *why);
void links_flush(void);
void links_poll(int timer, int milliseconds); /* read what is there; `timer` is drained too */
uint64_t bytes_read(void);

/* ---------------------------------------------------------------- wire.c */

typedef struct {
    const char *name;
    bool echoes;                 /* the author hears its own message */
    void (*greet)(Link *link);   /* TLS is up */
    void (*say)(Link *link, const char *text, size_t len);
    size_t (*take)(Link *link, char *data, size_t len); /* one packet's bytes; 0: not whole yet */
} Wire;

const Wire *wire_named(const char *name); /* NULL: there is none */
extern const Wire *wire;                  /* the one of this run */

/* ---------------------------------------------------------------- ledger.c */

typedef struct {
    uint64_t said, due, heard;  /* messages; deliveries that must come; that came for the first time */
    uint64_t lost, twice, out_of_order, misnumbered;
} Ledger;

void ledger_open(unsigned links, unsigned rooms, unsigned senders, bool echoes);
void ledger_say(const Link *sender);
bool ledger_hear(const Link *receiver, unsigned sender, uint64_t number); /* the first time? */
void ledger_number(Link *receiver, uint64_t seq); /* numbers of a conversation have no gap */
Ledger ledger_close(const Link *links); /* what is still missing is lost */
extern Ledger ledger;

void latency_note(uint64_t nanoseconds);
double latency_percentile(double part); /* microseconds */
double latency_max(void);

/* ---------------------------------------------------------------- usage.c */

bool usage_add(const char *pid); /* false: there is no such process */
double usage_cpu(void);          /* seconds that all of them took */
double usage_kib(void);          /* resident memory of all of them */
double usage_own_cpu(void);
uint64_t now_ns(void);

/* ---------------------------------------------------------------- load.c, told by the others */

void load_ready(Link *link);                                    /* in its room */
void load_dead(const Link *link, const char *why);
void load_refused(Link *link, const char *words, size_t len); /* the server said no */
void load_heard(Link *receiver, const char *text, size_t len);

#endif
