/* Load on a chat server over TLS: N clients in R rooms, S of them speak, everyone is listened to.
 *
 *     load --wire securechat|irc|mqtt|nats --port N [options]
 *
 * Speakers keep a window of messages in flight (one counts as delivered when the next member of the
 * room has it), or all of them together say so many a second, stamped with the time at which each
 * was due, so that a server which stalls cannot hide it. Every delivery must arrive, once and in
 * order: when the time is up nobody speaks any more and the rest is waited for, until nothing has
 * come for --patience seconds. Out comes one line of JSON; exit code 0, 1 when a delivery was at
 * fault or a connection died (the JSON counts them), 2 for wrong usage.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timerfd.h>

#include "load.h"

enum { HANDSHAKES_AT_ONCE = 64, MOST_CLIENTS = 20000, MOST_TEXT = 4000 };

static const double CONNECT_PATIENCE = 300.0, QUIET = 0.3;

static struct {
    unsigned port, clients, rooms, senders, window, text;
    double seconds, warm_up, rate, patience;
    bool idle;
} options = {.clients = 100, .rooms = 1, .senders = 10, .window = 1, .text = 100,
             .seconds = 4, .warm_up = 1, .patience = 5};

static Link *links;
static unsigned ready, dead, refused;
static bool speaking, measuring;
static uint64_t measured;
static Link **owing; /* who may speak as soon as the loop comes round */
static unsigned owing_count;

/* ---------------------------------------------------------------- speaking */

static void say(Link *link, uint64_t stamp) {
    char text[MOST_TEXT];
    memset(text, 'x', options.text);
    int len = snprintf(text, sizeof text, "B %u %llu %llu", link->index,
                       (unsigned long long)++link->said, (unsigned long long)stamp);
    text[len] = ' ';
    wire->say(link, text, options.text > (unsigned)len ? options.text : (unsigned)len);
    ledger_say(link);
}

static void owe(Link *sender) {
    if (!sender->owed++) owing[owing_count++] = sender;
}

static void pay(void) {
    uint64_t now = now_ns();
    for (unsigned i = 0; i < owing_count; i++) {
        Link *sender = owing[i];
        for (; sender->owed; sender->owed--)
            if (sender->phase == READY) say(sender, now);
    }
    owing_count = 0;
    links_flush();
}

/* The next member of the same room: when it hears a message, the sender may say the next one. */
static unsigned listener_of(unsigned sender) {
    unsigned next = sender + options.rooms;
    return next < options.clients ? next : sender % options.rooms;
}

/* ---------------------------------------------------------------- what the others tell */

void load_ready(Link *link) {
    if (link->phase != REGISTERING) return;
    link->phase = READY;
    ready++;
}

void load_dead(const Link *link, const char *why) {
    if (link->phase == READY) ready--;
    if (dead++ == 0) fprintf(stderr, "load: client %u: %s\n", link->index, why);
}

void load_refused(Link *link, const char *words, size_t len) {
    if (refused++ == 0)
        fprintf(stderr, "load: client %u was told: %.*s\n", link->index, (int)len, words);
    if (link->phase == REGISTERING) link_fail(link, "it was not let in");
}

static bool read_number(const char **at, const char *end, uint64_t *number) {
    const char *start = *at;
    *number = 0;
    while (*at < end && **at >= '0' && **at <= '9') *number = *number * 10 + (uint64_t)(*(*at)++ - '0');
    bool found = *at > start;
    while (*at < end && **at == ' ') (*at)++;
    return found;
}

void load_heard(Link *receiver, const char *text, size_t len) {
    const char *at = text + 2, *end = text + len;
    uint64_t sender, number, stamp;
    if (len < 2 || text[0] != 'B' || !read_number(&at, end, &sender) ||
        !read_number(&at, end, &number) || !read_number(&at, end, &stamp)) {
        load_refused(receiver, text, len);
        return;
    }
    if (!ledger_hear(receiver, (unsigned)sender, number)) return;
    if (measuring) {
        measured++;
        latency_note(now_ns() - stamp);
    }
    if (speaking && options.rate == 0 && receiver->index == listener_of((unsigned)sender))
        owe(&links[sender]);
}

/* ---------------------------------------------------------------- the phases of a run */

static double since(uint64_t start) { return (double)(now_ns() - start) / 1e9; }

static void connect_all(void) {
    uint64_t start = now_ns();
    unsigned opened = 0;
    while (ready + dead < options.clients && since(start) < CONNECT_PATIENCE) {
        for (; opened < options.clients && opened - ready - dead < HANDSHAKES_AT_ONCE; opened++) {
            Link *link = &links[opened];
            link->index = opened;
            link->room = opened % options.rooms;
            link_open(link);
        }
        links_poll(-1, 100);
    }
}

/* Until nothing has come for a while: the last ones to join are told to all who were there. */
static void settle(void) {
    uint64_t start = now_ns(), last = start, seen = bytes_read();
    while (since(last) < QUIET && since(start) < options.patience) {
        links_poll(-1, 20);
        if (bytes_read() != seen) seen = bytes_read(), last = now_ns();
    }
}

static int open_timer(void) {
    long long every = (long long)(1e9 / options.rate);
    struct timespec period = {every / 1000000000, every % 1000000000};
    struct itimerspec setting = {.it_interval = period, .it_value = period};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    timerfd_settime(timer, 0, &setting, NULL);
    return timer;
}

static void speak_for(double seconds, int timer) {
    static uint64_t due;
    static unsigned turn;
    uint64_t start = now_ns();
    if (due == 0) due = start;
    while (since(start) < seconds) {
        for (uint64_t now = now_ns(); options.rate > 0 && due <= now;
             due += (uint64_t)(1e9 / options.rate)) {
            Link *sender = &links[turn++ % options.senders];
            if (sender->phase == READY) say(sender, due);
        }
        pay();
        links_poll(timer, 10);
    }
}

static void hear_the_rest(void) {
    uint64_t last = now_ns(), heard = ledger.heard;
    speaking = false;
    while (ledger.heard < ledger.due && since(last) < options.patience) {
        links_poll(-1, 10);
        if (ledger.heard != heard) heard = ledger.heard, last = now_ns();
    }
    settle(); /* what comes twice comes now */
}

static void report_speaking(void) {
    int timer = options.rate > 0 ? open_timer() : -1;
    speaking = true;
    if (options.rate == 0)
        for (unsigned i = 0; i < options.senders; i++)
            for (unsigned k = 0; k < options.window; k++) owe(&links[i]);
    speak_for(options.warm_up, timer);
    measuring = true;
    uint64_t start = now_ns(), bytes = bytes_read(), said = ledger.said;
    double cpu = usage_cpu(), own_cpu = usage_own_cpu();
    speak_for(options.seconds, timer);
    double took = since(start);
    cpu = usage_cpu() - cpu, own_cpu = usage_own_cpu() - own_cpu;
    measuring = false;
    printf(",\"said_per_s\":%.1f,\"deliveries\":%llu,\"deliveries_per_s\":%.1f,"
           "\"server_cores\":%.3f,\"load_cores\":%.3f",
           (double)(ledger.said - said) / took, (unsigned long long)measured,
           (double)measured / took, cpu / took, own_cpu / took);
    if (measured) /* else the server stood still, and there is no figure */
        printf(",\"cpu_us_per_delivery\":%.4f,\"bytes_per_delivery\":%.1f,\"p50_us\":%.1f,"
               "\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f",
               cpu * 1e6 / (double)measured, (double)(bytes_read() - bytes) / (double)measured,
               latency_percentile(.5), latency_percentile(.9), latency_percentile(.99),
               latency_percentile(.999), latency_max());
    hear_the_rest();
    printf(",\"rss_mib\":%.1f", usage_kib() / 1024);
}

static void report_idling(void) {
    double cpu = usage_cpu();
    uint64_t start = now_ns();
    while (since(start) < options.seconds) links_poll(-1, 50);
    printf(",\"idle_cpu_percent\":%.3f", (usage_cpu() - cpu) / since(start) * 100);
}

static bool run(void) {
    double kib = usage_kib(), cpu = usage_cpu();
    uint64_t start = now_ns();
    connect_all();
    double took = since(start), count = ready ? ready : 1;
    cpu = usage_cpu() - cpu;
    settle();
    printf("{\"wire\":\"%s\",\"clients\":%u,\"connected\":%u,\"connects_per_s\":%.1f,"
           "\"cpu_ms_per_connect\":%.4f,\"kib_per_connection\":%.3f",
           wire->name, options.clients, ready, count / took, cpu * 1e3 / count,
           (usage_kib() - kib) / count);
    if (options.idle) report_idling();
    else if (ready == options.clients) report_speaking();
    Ledger closed = options.idle ? ledger : ledger_close(links);
    printf(",\"dead\":%u,\"refused\":%u,\"lost\":%llu,\"twice\":%llu,\"out_of_order\":%llu,"
           "\"misnumbered\":%llu}\n",
           dead, refused, (unsigned long long)closed.lost, (unsigned long long)closed.twice,
           (unsigned long long)closed.out_of_order, (unsigned long long)closed.misnumbered);
    return ready == options.clients && dead + refused == 0 &&
           closed.lost + closed.twice + closed.out_of_order + closed.misnumbered == 0;
}

/* ---------------------------------------------------------------- options */

static _Noreturn void fail_usage(const char *why) {
    fprintf(stderr,
            "load: %s\n"
            "load --wire securechat|irc|mqtt|nats --port N [--clients N] [--rooms N] [--senders N]\n"
            "     [--window N | --rate PER_SECOND] [--text BYTES] [--seconds N] [--warm-up N]\n"
            "     [--patience SECONDS] [--idle] [--pid N]...\n",
            why);
    exit(2);
}

static const struct option names[] = {
    {"wire", 1, 0, 'W'},    {"port", 1, 0, 'p'},    {"clients", 1, 0, 'n'}, {"rooms", 1, 0, 'r'},
    {"senders", 1, 0, 's'}, {"window", 1, 0, 'w'},  {"rate", 1, 0, 'R'},    {"text", 1, 0, 'b'},
    {"seconds", 1, 0, 't'}, {"warm-up", 1, 0, 'u'}, {"idle", 0, 0, 'i'},    {"pid", 1, 0, 'P'},
    {"patience", 1, 0, 'a'}, {0, 0, 0, 0},
};

static void read_options(int count, char **values) {
    for (int name; (name = getopt_long(count, values, "n:r:s:w:t:", names, NULL)) != -1;) {
        unsigned number = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;
        switch (name) {
        case 'W': wire = wire_named(optarg); break;
        case 'p': options.port = number; break;
        case 'n': options.clients = number; break;
        case 'r': options.rooms = number; break;
        case 's': options.senders = number; break;
        case 'w': options.window = number; break;
        case 'b': options.text = number; break;
        case 'R': options.rate = strtod(optarg, NULL); break;
        case 't': options.seconds = strtod(optarg, NULL); break;
        case 'u': options.warm_up = strtod(optarg, NULL); break;
        case 'a': options.patience = strtod(optarg, NULL); break;
        case 'i': options.idle = true; break;
        case 'P':
            if (!usage_add(optarg)) fail_usage("there is no such process to measure");
            break;
        default: fail_usage("an option is wrong");
        }
    }
    if (!wire) fail_usage("name a wire");
    if (optind < count) fail_usage("only options are taken");
    if (options.port < 1 || options.port > 65535) fail_usage("name a port");
    if (options.clients < 1 || options.clients > MOST_CLIENTS) fail_usage("1 to 20000 clients");
    if (options.rooms < 1 || options.clients < 2 * options.rooms) fail_usage("two clients to a room");
    if (options.senders < 1 || options.senders > options.clients) fail_usage("1 to --clients senders");
    if (options.text > MOST_TEXT - 100) fail_usage("3900 bytes of text at most");
}

int main(int count, char **values) {
    read_options(count, values);
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    links = calloc(options.clients, sizeof *links);
    owing = calloc(options.clients, sizeof *owing);
    if (!links || !owing) fail_usage("no memory for so many clients");
    links_open((unsigned short)options.port);
    ledger_open(options.clients, options.rooms, options.idle ? 0 : options.senders, wire->echoes);
    return run() ? 0 : 1;
}
