/* The load: sockets of one server, Engine.IO and Socket.IO spoken by hand, on one epoll.
 *
 *   client PORT COOKIE JOIN SEND MEMBERS ROOM...
 *
 * Opens MEMBERS sockets for each ROOM. COOKIE may be many, a line each, which the sockets take in turn. In JOIN and
 * SEND, events with an ack's number before them, @R is the room and @N the message's number as 16 hexadecimal digits;
 * the number that follows the first ~ of an event tells which message came back. An empty JOIN joins nothing. Says {"connected": …} and then obeys one line after the other on stdin:
 *
 *   load OUTSTANDING SECONDS   so many messages under way in every room, the next when all members have one
 *   rate MESSAGES SECONDS      so many messages in a second, whatever comes back
 *   stall                      the first socket reads nothing any more
 *   drop                       every socket is closed at once
 *
 * A mask of zeros is a mask: the servers undo it like any other, and the client has nothing to do for it. */
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
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { AT_ONCE = 64, RING = 1 << 16, MOST_US = 2000000, TEXT = 1, CLOSE = 8, PING = 9 };

struct member { int fd, room; char upgraded, entered, joined; char *rest; size_t rest_size; };
struct message { int64_t sent_us; int room, missing; };

static struct member *members;
static struct message messages[RING];
static unsigned latency[MOST_US + 1], lateness[MOST_US + 1];
static char buffer[1 << 20], **cookies, *join, *send_event, **rooms;
static int port, each, n_cookies, n_rooms, n_members, opened, ready, closed, epoll, timer, stalled = -1;
static int *turn, loading, connecting = 1;
static uint64_t number, under_way, done, deliveries, sent;
static int64_t began_us, ends_us, every_us, next_us;

static void fail(const char *why) { fprintf(stderr, "client: %s (%s)\n", why, strerror(errno)); exit(3); }

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void count(unsigned *of, int64_t us) { of[us < MOST_US ? us : MOST_US]++; }

static void write_text(struct member *m, const char *text, size_t size) {
    char frame[8192];
    size_t head = 2;
    if (size > sizeof frame - 8) fail("an event is too long");
    frame[0] = (char)(0x80 | TEXT);
    if (size < 126) frame[1] = (char)(0x80 | size);
    else { frame[1] = (char)(0x80 | 126); frame[2] = (char)(size >> 8); frame[3] = (char)size; head = 4; }
    memset(frame + head, 0, 4);
    memcpy(frame + head + 4, text, size);
    if (send(m->fd, frame, head + 4 + size, MSG_NOSIGNAL) != (ssize_t)(head + 4 + size)) fail("the server does not read");
}

static void emit(struct member *m, const char *event, uint64_t n) {
    char text[8192] = "42";
    size_t size = 2;
    for (const char *c = event; *c && size < sizeof text - 300; c++) {
        if (c[0] == '@' && c[1] == 'R') size += (size_t)sprintf(text + size, "%.256s", rooms[m->room]), c++;
        else if (c[0] == '@' && c[1] == 'N') size += (size_t)sprintf(text + size, "%016llx", (unsigned long long)n), c++;
        else text[size++] = *c;
    }
    write_text(m, text, size);
}

static void say(int room) {
    int from = room * each + turn[room]++ % each;
    if (from == stalled) from = room * each + turn[room]++ % each;
    if (members[from].fd < 0) fail("a socket that should speak was closed");
    struct message *message = &messages[++number % RING];
    if (message->missing > 0 && under_way >= RING) fail("too much is under way");
    *message = (struct message){now_us(), room, each - (stalled >= 0 && stalled / each == room)};
    under_way++;
    emit(&members[from], send_event, number);
}

static void heard(struct member *m, const char *text, size_t size) {
    const char *mark = memchr(text, '~', size);
    if (!mark || mark + 17 > text + size) return;
    uint64_t n = 0;
    for (const char *c = mark + 1; c < mark + 17; c++) n = n << 4 | (uint64_t)(*c <= '9' ? *c - '0' : *c - 'a' + 10);
    struct message *message = &messages[n % RING];
    if (n > number || number - n >= RING || message->room != m->room || message->missing <= 0) return;
    int64_t now = now_us();
    count(latency, now - message->sent_us);
    deliveries++;
    if (--message->missing) return;
    under_way--;
    done++;
    if (loading && now < ends_us) say(m->room);
}

static void arrived(struct member *m, const char *text, size_t size) {
    if (size >= 2 && text[0] == '4' && text[1] == '2') heard(m, text, size);
    else if (size == 1 && text[0] == '2') write_text(m, "3", 1);
    else if (size >= 1 && text[0] == '0') write_text(m, "40", 2);
    else if (size >= 2 && text[0] == '4' && text[1] == '0') {
        m->entered = 1;
        if (*join) emit(m, join, 0);
        else ready += !m->joined, m->joined = 1;
    } else if (size >= 2 && text[0] == '4' && text[1] == '3' && !m->joined) m->joined = 1, ready++;
    else if (size >= 2 && text[0] == '4' && text[1] == '4') fail("the server lets nobody in");
}

static void gone(struct member *m) {
    if (connecting) fail("the server closed a socket while they were opened");
    epoll_ctl(epoll, EPOLL_CTL_DEL, m->fd, NULL);
    close(m->fd);
    m->fd = -1;
    closed++;
}

/* Takes whole frames off `data`; returns how many bytes it took, or -1 at the end. */
static ssize_t frames(struct member *m, const char *data, size_t size) {
    size_t at = 0;
    if (!m->upgraded) {
        const char *end = memmem(data, size, "\r\n\r\n", 4);
        if (!end) return 0;
        if (memcmp(data, "HTTP/1.1 101", 12)) fprintf(stderr, "%.*s\n", (int)size, data), fail("no websocket");
        m->upgraded = 1;
        at = (size_t)(end - data) + 4;
    }
    while (size - at >= 2) {
        size_t length = data[at + 1] & 0x7f, head = 2;
        if (length == 126) {
            if (size - at < 4) break;
            length = (size_t)(uint8_t)data[at + 2] << 8 | (uint8_t)data[at + 3], head = 4;
        } else if (length == 127) fail("a frame of more than 65,535 bytes");
        if (size - at < head + length) break;
        int opcode = data[at] & 15;
        if (opcode == TEXT) arrived(m, data + at + head, length);
        else if (opcode == CLOSE) return -1;
        at += head + length;
    }
    return (ssize_t)at;
}

static void readable(struct member *m) {
    if (m->rest_size) memcpy(buffer, m->rest, m->rest_size);
    ssize_t got = recv(m->fd, buffer + m->rest_size, sizeof buffer - m->rest_size, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) { gone(m); return; }
    size_t size = m->rest_size + (size_t)got;
    ssize_t taken = frames(m, buffer, size);
    if (taken < 0) { gone(m); return; }
    m->rest_size = size - (size_t)taken;
    if (m->rest_size) {
        m->rest = realloc(m->rest, m->rest_size);
        memcpy(m->rest, buffer + taken, m->rest_size);
    } else if (m->rest) { free(m->rest); m->rest = NULL; }
}

static void open_next(void) {
    struct member *m = &members[opened];
    const char *cookie = cookies[opened % n_cookies];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char request[2048];
    int one = 1;
    *m = (struct member){.fd = socket(AF_INET, SOCK_STREAM, 0), .room = opened / each};
    opened++;
    if (m->fd < 0 || connect(m->fd, (struct sockaddr *)&to, sizeof to)) fail("no connection");
    setsockopt(m->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(m->fd, F_SETFL, O_NONBLOCK);
    int size = snprintf(request, sizeof request,
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost:%d\r\nOrigin: http://localhost:%d\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n%s%s%s\r\n",
        port, port, *cookie ? "Cookie: " : "", cookie, *cookie ? "\r\n" : "");
    if (send(m->fd, request, (size_t)size, MSG_NOSIGNAL) != size) fail("no connection");
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = m};
    epoll_ctl(epoll, EPOLL_CTL_ADD, m->fd, &event);
}

static void arm(int64_t at_us) {
    struct itimerspec when = {.it_value = {at_us / 1000000, at_us % 1000000 * 1000}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void begin(double seconds) {
    memset(latency, 0, sizeof latency);
    memset(lateness, 0, sizeof lateness);
    memset(messages, 0, sizeof messages);
    under_way = done = deliveries = sent = 0;
    every_us = 0;
    began_us = now_us();
    ends_us = began_us + (int64_t)(seconds * 1e6);
    arm(ends_us);
}

static unsigned percentile(const unsigned *of, uint64_t all, double share) {
    uint64_t upto = (uint64_t)((double)all * share), seen = 0;
    if (!all) return 0;
    for (unsigned us = 0; us < MOST_US; us++) if ((seen += of[us]) > upto) return us;
    return MOST_US;
}

static void report(void) {
    uint64_t lost = 0;
    for (int n = 0; n < RING; n++) if (messages[n].missing > 0) lost += (uint64_t)messages[n].missing;
    printf("{\"messages\": %llu, \"deliveries\": %llu, \"lost\": %llu, \"closed\": %d, \"seconds\": %.6f, \"late_us\": %u, "
           "\"p50_us\": %u, \"p99_us\": %u, \"max_us\": %u}\n",
           (unsigned long long)done, (unsigned long long)deliveries, (unsigned long long)lost, closed,
           (double)(now_us() - began_us) / 1e6, percentile(lateness, sent, 0.99), percentile(latency, deliveries, 0.5),
           percentile(latency, deliveries, 0.99), percentile(latency, deliveries, 1 - 1e-9));
    fflush(stdout);
    ends_us = 0;
    loading = 0;
}

/* Sends what is due; after the end waits two seconds at most for what is under way. */
static void tick(void) {
    uint64_t expirations;
    if (read(timer, &expirations, sizeof expirations) < 0) return;
    int64_t now = now_us();
    while (every_us && next_us <= now && next_us < ends_us) {
        count(lateness, now - next_us), sent++;
        say((int)(number % (uint64_t)n_rooms));
        next_us += every_us;
    }
    if (ends_us && every_us && next_us < ends_us) arm(next_us);
    else if (ends_us && now < ends_us) arm(ends_us);
    else if (ends_us && (!under_way || now > ends_us + 2000000)) report();
    else if (ends_us) arm(now + 1000);
}

static void obey(void) {
    char line[256];
    double first = 0, seconds = 0;
    ssize_t size = read(0, line, sizeof line - 1);
    if (size <= 0) exit(0);
    line[size] = 0;
    if (sscanf(line, "load %lf %lf", &first, &seconds) == 2) {
        begin(seconds);
        loading = 1;
        for (int room = 0; room < n_rooms; room++) for (int n = 0; n < (int)first; n++) say(room);
    } else if (sscanf(line, "rate %lf %lf", &first, &seconds) == 2) {
        begin(seconds);
        every_us = (int64_t)(1e6 / first);
        next_us = began_us;
        arm(began_us + 1);
    } else if (!strncmp(line, "stall", 5)) {
        struct epoll_event event = {.events = EPOLLRDHUP, .data.ptr = members};
        epoll_ctl(epoll, EPOLL_CTL_MOD, members[0].fd, &event);
        stalled = 0;
        puts("{}"), fflush(stdout);
    } else if (!strncmp(line, "drop", 4)) {
        for (int n = 0; n < n_members; n++) if (members[n].fd >= 0) close(members[n].fd), members[n].fd = -1;
        puts("{}"), fflush(stdout);
    } else fail("an unknown command");
}

int main(int argc, char **argv) {
    if (argc < 7) { fprintf(stderr, "client PORT COOKIE JOIN SEND MEMBERS ROOM...\n"); return 2; }
    port = atoi(argv[1]), join = argv[3], send_event = argv[4], each = atoi(argv[5]);
    cookies = calloc(strlen(argv[2]) + 1, sizeof *cookies);
    for (char *line = argv[2]; line; n_cookies++) cookies[n_cookies] = strsep(&line, "\n");
    rooms = argv + 6, n_rooms = argc - 6, n_members = each * n_rooms;
    members = calloc((size_t)n_members, sizeof *members);
    turn = calloc((size_t)n_rooms, sizeof *turn);
    epoll = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event events[1024], on_timer = {.events = EPOLLIN, .data.ptr = &timer}, on_stdin = {.events = EPOLLIN};
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &on_timer);
    int64_t start_us = now_us();
    for (;;) {
        while (opened < n_members && opened - ready < AT_ONCE) open_next();
        int n = epoll_wait(epoll, events, 1024, -1);
        for (int i = 0; i < n; i++) {
            struct member *m = events[i].data.ptr;
            if (events[i].data.ptr == &timer) tick();
            else if (!m) obey();
            else if (m->fd < 0) continue;
            else if (events[i].events & EPOLLIN) readable(m);
            else gone(m);
        }
        if (connecting && ready == n_members) {
            connecting = 0;
            printf("{\"connected\": %d, \"seconds\": %.6f}\n", ready, (double)(now_us() - start_us) / 1e6);
            fflush(stdout);
            epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &on_stdin);
        }
    }
}
