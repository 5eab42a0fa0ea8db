/* What can be had: each of the benchmarks' works on a connection, by hand.
 *
 *   usage: hand echo URL ROUNDS [CA]          prints the median of round trips of 64 bytes, in microseconds
 *          hand receive URL SIZE COUNT [CA]   COUNT messages of SIZE bytes from URL/SIZE/COUNT
 *          hand send URL COUNT                COUNT messages of 64 bytes to URL/COUNT, in batches of 64 KiB
 * The last two print how many, the seconds that took and those of the processor.
 */
#include <string.h>

#include "client.h"
#include "measure.h"

static struct client client;
static long received;
static double started, started_cpu;

static void on_message(const uint8_t *data, size_t len) {
  (void)data, (void)len;
  received++;
}

static void start(void) {
  started = now();
  started_cpu = cpu_time();
}

static int finish(long count) {
  print_since(count, started, started_cpu);
  return 0;
}

static int echo(const char *url, size_t rounds, const char *ca_file) {
  double *times = calloc(rounds, sizeof *times);
  uint8_t message[64] = {0}, frame[HAND_HEAD_MAX + sizeof message];
  client_open(&client, url, ca_file, sizeof message);
  for (size_t i = 0; i < rounds; i++) {
    double began = now();
    long before = received;
    client_write(&client, frame, client_frame(frame, 2, message, sizeof message));
    while (received == before)
      if (!client_read(&client, on_message))
        return 1;
    times[i] = now() - began;
  }
  printf("%.3f\n", percentile(times, rounds, 0.5) * 1e6);
  free(times);
  return 0;
}

static int receive(const char *base, size_t size, long count, const char *ca_file) {
  char url[160];
  snprintf(url, sizeof url, "%s/%zu/%ld", base, size, count);
  client_open(&client, url, ca_file, size);
  start();
  while (received < count)
    if (!client_read(&client, on_message))
      return 1;
  return finish(count);
}

static int send_all(const char *base, long count) {
  enum { BATCH = 64 * 1024 };
  static uint8_t batch[BATCH + HAND_HEAD_MAX + 64];
  uint8_t message[64] = {0};
  size_t filled = 0;
  char url[160];
  snprintf(url, sizeof url, "%s/%ld", base, count);
  client_open(&client, url, NULL, sizeof message);
  start();
  for (long i = 0; i < count; i++) {
    filled += client_frame(batch + filled, 2, message, sizeof message);
    if (filled >= BATCH || i == count - 1) {
      client_write(&client, batch, filled);
      filled = 0;
    }
  }
  while (!received)
    if (!client_read(&client, on_message))
      return 1;
  return finish(count);
}

int main(int argc, char **argv) {
  if (argc >= 4 && !strcmp(argv[1], "echo"))
    return echo(argv[2], (size_t)atol(argv[3]), argv[4]);
  if (argc >= 5 && !strcmp(argv[1], "receive"))
    return receive(argv[2], (size_t)atol(argv[3]), atol(argv[4]), argv[5]);
  if (argc >= 4 && !strcmp(argv[1], "send"))
    return send_all(argv[2], atol(argv[3]));
  return 2;
}
