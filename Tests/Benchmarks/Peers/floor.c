// floor DIRECTORY FILE…: the least that a durable, compressed, content-addressed copy of many files can cost.
//
// Each file is read, hashed (SHA-256) and deflated (level 6) in one go and written under a temporary name; once per 100
// files all of it is synced, renamed to its hash, and the directory is synced. No ledger, no metadata, no recognition.

#define _GNU_SOURCE
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { GROUP = 100, NAME = 2 * 32 + 4 };

static void fail(const char *what) {
    perror(what);
    exit(73);
}

// Reads a whole file into a buffer that grows with the largest one.
static size_t read_file(const char *path, unsigned char **buffer, size_t *capacity) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    if (file < 0 || fstat(file, &facts) < 0) fail(path);
    size_t size = (size_t)facts.st_size, done = 0;
    if (size > *capacity || !*buffer) {
        *capacity = size + 1;
        *buffer = realloc(*buffer, *capacity);
        if (!*buffer) fail("memory");
    }
    while (done < size) {
        ssize_t count = read(file, *buffer + done, size - done);
        if (count <= 0) fail(path);
        done += (size_t)count;
    }
    close(file);
    return size;
}

static void name_of(const unsigned char *bytes, size_t size, char name[NAME]) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (EVP_Digest(bytes, size, digest, &length, EVP_sha256(), NULL) != 1) fail("sha256");
    for (unsigned int index = 0; index < length; index++) sprintf(name + 2 * index, "%02x", digest[index]);
    strcat(name, ".gz");
}

static void write_file(int directory, const char *name, const unsigned char *bytes, size_t size) {
    int file = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size) fail(name);
    close(file);
}

static void publish(int directory, char temporary[][NAME + 4], char names[][NAME], int count) {
    if (count == 0) return;
    if (syncfs(directory) < 0) fail("syncfs");
    for (int index = 0; index < count; index++) {
        if (renameat(directory, temporary[index], directory, names[index]) < 0) fail("rename");
    }
    if (fsync(directory) < 0) fail("fsync");
}

int main(int argc, char **argv) {
    if (argc < 3) return 64;
    int directory = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) fail(argv[1]);
    z_stream stream = {0};
    // 15 bits of window, and 16 for the gzip wrapper.
    if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) fail("deflate");
    unsigned char *input = NULL, *output = NULL;
    size_t input_capacity = 0, output_capacity = 0;
    static char names[GROUP][NAME], temporary[GROUP][NAME + 4];
    int count = 0;
    for (int argument = 2; argument < argc; argument++) {
        size_t size = read_file(argv[argument], &input, &input_capacity);
        names[count][0] = 0;
        name_of(input, size, names[count]);
        size_t bound = deflateBound(&stream, size);
        if (bound > output_capacity) {
            output = realloc(output, bound);
            output_capacity = bound;
            if (!output) fail("memory");
        }
        stream.next_in = input;
        stream.avail_in = (unsigned int)size;
        stream.next_out = output;
        stream.avail_out = (unsigned int)output_capacity;
        if (deflate(&stream, Z_FINISH) != Z_STREAM_END) fail("deflate");
        sprintf(temporary[count], "%s.tmp", names[count]);
        write_file(directory, temporary[count], output, output_capacity - stream.avail_out);
        deflateReset(&stream);
        if (++count == GROUP) {
            publish(directory, temporary, names, count);
            count = 0;
        }
    }
    publish(directory, temporary, names, count);
    deflateEnd(&stream);
    return 0;
}
