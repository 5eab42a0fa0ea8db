/* Messages to the hook `message` of a connection script that has no transforms: JSON texts of 64 bytes from
 * URL/64/COUNT of the peer.   usage: host_message URL COUNT */
#include "beamhost.h"
#include "measure.h"

#include <string.h>

static const char script[] = "local left = beam.config().count\n"
                             "return { message = function(value)\n"
                             "  left = left - 1\n"
                             "  if left == 0 then beam.emit 'done' end\n"
                             "end }";

static int done;
static double started, started_cpu;

static void on_event(void *user, beam_host *host, const beam_host_event *event) {
  (void)user, (void)host;
  if (event->type == BEAM_HOST_OPEN) {
    started = now();
    started_cpu = cpu_time();
  }
  done |= event->type == BEAM_HOST_EMIT;
}

int main(int argc, char **argv) {
  char url[160], config[64];
  beam_host_options options = {.target = url, .token = "", .config = config};
  beam_host_error error;
  beam_host *host;
  if (argc < 3)
    return 2;
  long count = atol(argv[2]);
  snprintf(url, sizeof url, "%s/64/%ld", argv[1], count);
  snprintf(config, sizeof config, "{\"count\":%ld}", count);
  if (beam_host_new(&host, &options, &error)) {
    fprintf(stderr, "host_message: %s\n", error.message);
    return 1;
  }
  beam_host_on(host, on_event, NULL);
  if (beam_host_load_string(host, script, strlen(script), "bench.lua", &error)) {
    fprintf(stderr, "host_message: %s\n", error.message);
    return 1;
  }
  while (!done)
    beam_host_step(host, 1000);
  print_since(count, started, started_cpu);
  beam_host_free(host);
  return 0;
}
