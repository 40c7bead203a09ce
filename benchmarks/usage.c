/* What the server's processes took of the machine: CPU time and resident memory.
 *
 * In: process numbers. The CPU clock of a process counts all its threads in nanoseconds, where
 * /proc counts in hundredths of a second.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "load.h"

enum { MOST_PIDS = 64 };

static struct {
    pid_t pid;
    clockid_t clock;
} processes[MOST_PIDS];
static int count;

static double seconds(struct timespec time) {
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

bool usage_add(const char *text) {
    pid_t pid = (pid_t)atoi(text);
    if (pid <= 0 || count == MOST_PIDS || clock_getcpuclockid(pid, &processes[count].clock) != 0)
        return false;
    processes[count++].pid = pid;
    return true;
}

double usage_cpu(void) {
    double total = 0;
    for (int i = 0; i < count; i++) {
        struct timespec time;
        if (clock_gettime(processes[i].clock, &time) == 0) total += seconds(time);
    }
    return total;
}

double usage_kib(void) {
    double total = 0;
    for (int i = 0; i < count; i++) {
        char path[64], line[256];
        long kib;
        snprintf(path, sizeof path, "/proc/%d/status", (int)processes[i].pid);
        FILE *file = fopen(path, "r");
        if (!file) continue;
        while (fgets(line, sizeof line, file))
            if (sscanf(line, "VmRSS: %ld", &kib) == 1) total += (double)kib;
        fclose(file);
    }
    return total;
}

double usage_own_cpu(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return seconds(time);
}

uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}
