/* The floor: what a broadcast costs a C program that does nothing else. `relay PORT each|joined`
 *
 * One epoll, as much of Engine.IO and Socket.IO as bench/fanout/client.c asks for, no checks: a peer to be measured
 * against, not a server. `each` sends a frame to every member as it comes; `joined` sends what one round of epoll brought
 * for a member at once. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_FDS = 1 << 16, TEXT = 1, PATIENCE = 1 << 22 };

struct client { char open, waiting; int room, place; char *in, *out; size_t in_size, out_size, out_room; };
struct room { char *name; int *fds, size, space; };

static struct client clients[MOST_FDS];
static struct room *rooms;
static int n_rooms, epoll, joined, dirty[MOST_FDS], n_dirty;
static char buffer[1 << 18];

static void fail(const char *why) { fprintf(stderr, "relay: %s (%s)\n", why, strerror(errno)); exit(3); }

static uint32_t rotated(uint32_t x, int n) { return x << n | x >> (32 - n); }

/* RFC 3174, for texts of up to 119 bytes. */
static void sha1(const char *text, size_t size, uint8_t digest[20]) {
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}, w[80];
    uint8_t blocks[128] = {0};
    size_t n_blocks = (size + 9 + 63) / 64;
    memcpy(blocks, text, size);
    blocks[size] = 0x80;
    blocks[n_blocks * 64 - 2] = (uint8_t)(size * 8 >> 8), blocks[n_blocks * 64 - 1] = (uint8_t)(size * 8);
    for (uint8_t *block = blocks; block < blocks + n_blocks * 64; block += 64) {
        for (int i = 0; i < 16; i++) memcpy(&w[i], block + 4 * i, 4), w[i] = ntohl(w[i]);
        for (int i = 16; i < 80; i++) w[i] = rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 80; i++) {
            uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
            uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
            uint32_t next = rotated(a, 5) + f + e + k + w[i];
            e = d, d = c, c = rotated(b, 30), b = a, a = next;
        }
        h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
    }
    for (int i = 0; i < 5; i++) h[i] = htonl(h[i]);
    memcpy(digest, h, 20);
}

static void base64(const uint8_t *data, size_t size, char *text) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        uint32_t n = (uint32_t)data[i] << 16 | (i + 1 < size ? (uint32_t)data[i + 1] << 8 : 0) | (i + 2 < size ? data[i + 2] : 0);
        *text++ = digits[n >> 18], *text++ = digits[n >> 12 & 63];
        *text++ = i + 1 < size ? digits[n >> 6 & 63] : '=', *text++ = i + 2 < size ? digits[n & 63] : '=';
    }
    *text = 0;
}

static void leave(int fd) {
    struct client *c = &clients[fd];
    if (c->room >= 0) {
        struct room *room = &rooms[c->room];
        room->fds[c->place] = room->fds[--room->size];
        clients[room->fds[c->place]].place = c->place;
    }
    free(c->in), free(c->out);
    *c = (struct client){.room = -1};
    close(fd);
}

static void watch(int fd, int writing) {
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
}

static void keep(struct client *c, const char *data, size_t size) {
    if (c->out_size + size > PATIENCE) return; /* a reader so slow is not what is measured */
    if (c->out_size + size > c->out_room) c->out = realloc(c->out, c->out_room = 2 * (c->out_size + size));
    memcpy(c->out + c->out_size, data, size);
    c->out_size += size;
}

static void flush(int fd) {
    struct client *c = &clients[fd];
    ssize_t sent = c->out_size ? send(fd, c->out, c->out_size, MSG_NOSIGNAL) : 0;
    if (sent < 0) sent = 0;
    memmove(c->out, c->out + sent, c->out_size - (size_t)sent);
    c->out_size -= (size_t)sent;
    if (!c->out_size != !c->waiting) watch(fd, c->waiting = c->out_size > 0);
}

static void send_now(int fd, const char *data, size_t size) {
    struct client *c = &clients[fd];
    ssize_t sent = c->out_size ? 0 : send(fd, data, size, MSG_NOSIGNAL);
    if (sent == (ssize_t)size) return;
    keep(c, data + (sent < 0 ? 0 : sent), size - (size_t)(sent < 0 ? 0 : sent));
    if (!c->waiting) watch(fd, c->waiting = 1);
}

static void send_joined(int fd, const char *data, size_t size) {
    if (!clients[fd].out_size) dirty[n_dirty++] = fd;
    keep(&clients[fd], data, size);
}

static size_t framed(char *frame, const char *head, const char *text, size_t size) {
    size_t head_size = strlen(head), total = head_size + size, at = 2;
    frame[0] = (char)(0x80 | TEXT);
    if (total < 126) frame[1] = (char)total;
    else frame[1] = 126, frame[2] = (char)(total >> 8), frame[3] = (char)total, at = 4;
    memcpy(frame + at, head, head_size);
    memcpy(frame + at + head_size, text, size);
    return at + total;
}

static void answer(int fd, const char *text) {
    char frame[512];
    send_now(fd, frame, framed(frame, text, "", 0));
}

static struct room *room_of(const char *name, size_t size) {
    for (int n = 0; n < n_rooms; n++) if (!strncmp(rooms[n].name, name, size) && !rooms[n].name[size]) return &rooms[n];
    rooms = realloc(rooms, sizeof *rooms * (size_t)(n_rooms + 1));
    rooms[n_rooms] = (struct room){.name = strndup(name, size)};
    return &rooms[n_rooms++];
}

/* `420["join","NAME"]` or `42["say","NAME",…]`: the room's name is the second string. */
static void event(int fd, const char *text, size_t size) {
    const char *name = memmem(text, size, "\",\"", 3), *end = name ? memchr(name + 3, '"', size - (size_t)(name + 3 - text)) : NULL;
    static char frame[70000];
    if (!end) fail("an event without a room");
    struct room *room = room_of(name + 3, (size_t)(end - name - 3));
    if (memmem(text, (size_t)(name - text), "join", 4)) {
        if (room->size == room->space) room->fds = realloc(room->fds, sizeof(int) * (size_t)(room->space = 2 * room->space + 8));
        clients[fd].room = (int)(room - rooms), clients[fd].place = room->size;
        room->fds[room->size++] = fd;
        answer(fd, "430[]");
        return;
    }
    size_t length = framed(frame, "42[\"said\",", name + 2, size - (size_t)(name + 2 - text));
    for (int n = 0; n < room->size; n++) joined ? send_joined(room->fds[n], frame, length) : send_now(room->fds[n], frame, length);
}

static void upgrade(int fd, const char *request, size_t size) {
    char accept[256], head[512];
    uint8_t digest[20];
    const char *key = memmem(request, size, "Sec-WebSocket-Key: ", 19);
    if (!key) fail("no websocket was asked for");
    int length = snprintf(accept, sizeof accept, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + 19);
    sha1(accept, (size_t)length, digest);
    base64(digest, 20, accept);
    length = snprintf(head, sizeof head, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Accept: %.32s\r\n\r\n", accept);
    send_now(fd, head, (size_t)length);
    answer(fd, "0{\"sid\":\"c\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1000000}");
    clients[fd].open = 1;
}

/* Takes whole frames off `data` and returns how many bytes it took. */
static size_t frames(int fd, char *data, size_t size) {
    size_t at = 0;
    if (!clients[fd].open) {
        if (!memmem(data, size, "\r\n\r\n", 4)) return 0;
        upgrade(fd, data, size);
        return size;
    }
    while (size - at >= 6) {
        size_t length = data[at + 1] & 0x7f, head = 6;
        if (length == 126) {
            if (size - at < 8) break;
            length = (size_t)(uint8_t)data[at + 2] << 8 | (uint8_t)data[at + 3], head = 8;
        }
        if (size - at < head + length) break;
        char *text = data + at + head, *mask = text - 4;
        for (size_t i = 0; i < length; i++) text[i] ^= mask[i & 3];
        if ((data[at] & 15) == TEXT && length >= 2 && text[0] == '4') text[1] == '0' ? answer(fd, "40{\"sid\":\"c\"}") : event(fd, text, length);
        at += head + length;
    }
    return at;
}

static void readable(int fd) {
    struct client *c = &clients[fd];
    memcpy(buffer, c->in ? c->in : "", c->in_size);
    ssize_t got = recv(fd, buffer + c->in_size, sizeof buffer - c->in_size, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) { leave(fd); return; }
    size_t size = c->in_size + (size_t)got, taken = frames(fd, buffer, size);
    if ((c->in_size = size - taken)) memcpy(c->in = realloc(c->in, c->in_size), buffer + taken, c->in_size);
}

static void accept_all(int listener) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (fd >= MOST_FDS) fail("too many sockets");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        clients[fd] = (struct client){.room = -1};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) { fprintf(stderr, "relay PORT each|joined\n"); return 2; }
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    joined = !strcmp(argv[2], "joined");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 4096)) fail("the port cannot be used");
    epoll = epoll_create1(0);
    struct epoll_event events[1024], listening = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &listening);
    for (;;) {
        int n = epoll_wait(epoll, events, 1024, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) accept_all(listener);
            else if (events[i].events & EPOLLIN) readable(fd);
            else if (events[i].events & EPOLLOUT) flush(fd);
            else leave(fd);
        }
        for (int i = 0; i < n_dirty; i++) flush(dirty[i]);
        n_dirty = 0;
    }
}
