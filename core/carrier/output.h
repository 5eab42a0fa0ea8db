/* What waits to be written to a socket, in plain or as records of TLS, and how it goes out: the first write of a turn
 * at once; what follows in the same turn joins, until the loop turns or 64 KiB are full, so that many small messages
 * cost one system call and one record.
 */
#pragma once

#include "net/tls/connection.h"

#pragma GCC visibility push(hidden)

enum { BEAM__READ_SIZE = 65536 };

/* Memory that all sockets of a context use, one after the other. */
struct beam__buffers {
  beam__owned owned;
  beam_ctx *ctx;
  int ended;            /* the context: nothing is kept any more */
  beam__bytes spare[2]; /* empty, but with room */
  beam__bytes large;    /* the same, for messages that come in pieces */
  char input[BEAM__READ_SIZE];
  char plain[BEAM__READ_SIZE]; /* several records of TLS, so that fewer messages are cut */
};

/* Makes the context's if they are not there; 0: out of memory. */
int beam__buffers_make(beam_ctx *ctx);

/* Memory for a large message that comes in, where there is some that was given back: new pages cost more than the
 * message. */
void beam__buffers_take_large(beam_ctx *ctx, beam__bytes *bytes);
void beam__buffers_give_back_large(beam_ctx *ctx, beam__bytes *bytes); /* or frees it */

typedef struct beam__output { /* zero-initialise; the first three are the owner's to fill in */
  beam_ctx *ctx;              /* whose buffers are made */
  int fd;
  beam__tls *tls;     /* NULL: in plain. Its records go to `queued` */
  beam__bytes queued; /* from `sent` on */
  size_t sent;
  beam__bytes joined; /* what is still to become records; nothing while `full` */
  uint64_t taken;     /* bytes that the system took so far */
  unsigned turn;      /* the last in which something was written at once */
  uint8_t full;       /* the system has no room */
} beam__output;

size_t beam__output_waiting(const beam__output *output);
/* Takes all of the pieces. 0, or a negative code of libuv's: nothing more can follow. */
int beam__output_write(beam__output *output, const uv_buf_t *pieces, unsigned count);
/* Sends what the system takes of what waits. 0, or a negative code of libuv's. */
int beam__output_send(beam__output *output);
void beam__output_drop(beam__output *output);

#pragma GCC visibility pop
