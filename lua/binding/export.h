/* What a module exports by itself, whatever its own libbeam does (BEAM_PRIVATE). */
#ifndef BINDING_EXPORT_H
#define BINDING_EXPORT_H

#define BINDING_API __attribute__((visibility("default")))

#endif
