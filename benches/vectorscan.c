/* What Vectorscan makes of the text and the words that benches/engine wrote: benches/vectorscan FOLDER WORDS ROUNDS.
 *
 *     cc -O2 -o target/vectorscan benches/vectorscan.c $(pkg-config --cflags --libs libhs)
 *
 * The first WORDS words, each alone and in any case, and three forms of numbers; CPU time, the median of the rounds. It reports every end of a
 * match, and neither weighs numbers nor masks them. */
#include <hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double cpu(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static char *whole(const char *folder, const char *name, size_t *length) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) { perror(path); exit(1); }
    fseek(file, 0, SEEK_END);
    *length = ftell(file);
    rewind(file);
    char *octets = malloc(*length + 1);
    if (fread(octets, 1, *length, file) != *length) { perror(path); exit(1); }
    octets[*length] = 0;
    fclose(file);
    return octets;
}

static int found(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *count) {
    (void)id, (void)from, (void)to, (void)flags;
    ++*(size_t *)count;
    return 0;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc != 4) { fprintf(stderr, "usage: vectorscan FOLDER WORDS ROUNDS\n"); return 2; }
    size_t wanted = atoi(argv[2]), rounds = atoi(argv[3]), length, ignored, count = 0;
    char *text = whole(argv[1], "text", &length), *words = whole(argv[1], "words", &ignored);
    const char **patterns = calloc(wanted + 3, sizeof *patterns);
    unsigned *flags = calloc(wanted + 3, sizeof *flags), *ids = calloc(wanted + 3, sizeof *ids);
    for (char *word = strtok(words, "\n"); word && count < wanted; word = strtok(NULL, "\n")) {
        char *pattern = malloc(strlen(word) + 5);
        sprintf(pattern, "\\b%s\\b", word);
        patterns[count++] = pattern;
    }
    patterns[count++] = "\\b\\d{9}\\b";
    patterns[count++] = "\\b\\d{3}[. -]\\d{3}[. -]\\d{3}\\b";
    patterns[count++] = "\\b[A-Z]{2}\\d{2}(?: ?[A-Z0-9]{4}){3,7}\\b";
    for (size_t i = 0; i < count; i++) flags[i] = HS_FLAG_CASELESS, ids[i] = i;
    hs_database_t *database;
    hs_compile_error_t *error;
    double begun = cpu();
    if (hs_compile_multi(patterns, flags, ids, count, HS_MODE_BLOCK, NULL, &database, &error)) { fprintf(stderr, "%s\n", error->message); return 1; }
    double compiled = cpu() - begun;
    hs_scratch_t *scratch = NULL;
    if (hs_alloc_scratch(database, &scratch)) return 1;
    double *times = calloc(rounds, sizeof *times);
    size_t matches = 0;
    for (size_t i = 0; i < rounds; i++) {
        matches = 0;
        begun = cpu();
        hs_scan(database, text, length, 0, scratch, found, &matches);
        times[i] = cpu() - begun;
    }
    qsort(times, rounds, sizeof *times, by_size);
    char name[64];
    snprintf(name, sizeof name, "vectorscan, %zu words and three forms of numbers", count - 3);
    printf("  %-46s %9.1f MB/s   %8zu found   compiled in %.1f s\n", name, length / 1e6 / times[rounds / 2], matches, compiled);
    return 0;
}
