/* Who must have heard what: every message of a sender, once, in its order, by everyone in its room.
 *
 * For each pair of receiver and sender there is the highest number heard and a window of the 64
 * below it, a bit each. A number above the next one leaves a gap, which counts as lost until it is
 * filled; what fills it came out of order; a bit that is set already came twice. Latencies go into
 * a histogram of logarithmic buckets, 64 to each power of two: 1.6 % wide at most.
 */
#include <stdio.h>
#include <stdlib.h>

#include "load.h"

enum { WINDOW = 64, FINE = 64, FINE_BITS = 6 };

typedef struct {
    uint64_t highest, seen; /* bit i of `seen`: highest - i was heard */
} Pair;

Ledger ledger;
static Pair *pairs;
static unsigned links_count, rooms_count, senders_count, senders_per_room;
static bool own_heard;

static uint64_t buckets[64 * FINE], slowest;

void ledger_open(unsigned links, unsigned rooms, unsigned senders, bool echoes) {
    links_count = links, rooms_count = rooms, senders_count = senders, own_heard = echoes;
    senders_per_room = (senders + rooms - 1) / rooms;
    if (senders_per_room == 0) return;
    pairs = calloc((size_t)links * senders_per_room, sizeof *pairs);
    if (!pairs) {
        fprintf(stderr, "load: no memory for the ledger\n");
        exit(1);
    }
}

/* Client i is in room i % rooms, and the first `senders` clients speak. */
static unsigned members_of(unsigned room) {
    return links_count / rooms_count + (room < links_count % rooms_count);
}

static Pair *pair_of(unsigned receiver, unsigned sender) {
    return &pairs[(size_t)receiver * senders_per_room + sender / rooms_count];
}

void ledger_say(const Link *sender) {
    ledger.said++;
    ledger.due += members_of(sender->room) - !own_heard;
}

bool ledger_hear(const Link *receiver, unsigned sender, uint64_t number) {
    if (sender >= senders_count || sender % rooms_count != receiver->room || number == 0 ||
        (sender == receiver->index && !own_heard)) {
        ledger.out_of_order++; /* nobody said this to this one */
        return false;
    }
    Pair *pair = pair_of(receiver->index, sender);
    if (number > pair->highest) {
        uint64_t step = number - pair->highest;
        ledger.lost += step - 1;
        pair->seen = step < WINDOW ? pair->seen << step | 1 : 1;
        pair->highest = number;
    } else {
        uint64_t back = pair->highest - number;
        uint64_t bit = back < WINDOW ? UINT64_C(1) << back : 0;
        if (pair->seen & bit) {
            ledger.twice++;
            return false;
        }
        ledger.out_of_order++;
        if (bit == 0) return false; /* too old to tell whether it is new */
        pair->seen |= bit;
        ledger.lost--;
    }
    ledger.heard++;
    return true;
}

void ledger_number(Link *receiver, uint64_t seq) {
    if (receiver->seq && seq != receiver->seq + 1) ledger.misnumbered++;
    receiver->seq = seq;
}

Ledger ledger_close(const Link *links) {
    for (unsigned receiver = 0; receiver < links_count; receiver++)
        for (unsigned sender = links[receiver].room; sender < senders_count; sender += rooms_count)
            if (sender != receiver || own_heard)
                ledger.lost += links[sender].said - pair_of(receiver, sender)->highest;
    free(pairs);
    pairs = NULL;
    return ledger;
}

/* ---------------------------------------------------------------- latencies */

void latency_note(uint64_t value) {
    unsigned power = value < FINE ? 0 : 63 - (unsigned)__builtin_clzll(value) - FINE_BITS + 1;
    unsigned fine = power == 0 ? (unsigned)value : (unsigned)(value >> (power - 1)) & (FINE - 1);
    buckets[power * FINE + fine]++;
    if (value > slowest) slowest = value;
}

double latency_percentile(double part) {
    uint64_t total = 0, passed = 0;
    for (unsigned i = 0; i < 64 * FINE; i++) total += buckets[i];
    for (unsigned i = 0; i < 64 * FINE; i++) {
        passed += buckets[i];
        if (passed == 0 || (double)passed < part * (double)total) continue;
        unsigned power = i / FINE, fine = i % FINE;
        uint64_t value = power == 0 ? fine : (uint64_t)(FINE + fine) << (power - 1);
        return (double)value / 1e3;
    }
    return latency_max();
}

double latency_max(void) { return (double)slowest / 1e3; }
