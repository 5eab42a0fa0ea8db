/* What a module exports by itself, whatever its own libbeam does (BEAM_PRIVATE). */
#pragma once

#define BINDING_API __attribute__((visibility("default")))
