/* The header in every edition of C, twice. */

#include <rkchat.h>
#include <rkchat.h>

static const rkchat_model_options open = RKCHAT_MODEL_OPTIONS_INIT;
static const rkchat_generate_options generate = RKCHAT_GENERATE_OPTIONS_INIT;

int main(void) {
  rkchat_render_options render = RKCHAT_RENDER_OPTIONS_INIT;
  rkchat_encode_options encode = RKCHAT_ENCODE_OPTIONS_INIT;
  rkchat_decode_options decode = RKCHAT_DECODE_OPTIONS_INIT;
  rkchat_template_options source = RKCHAT_TEMPLATE_OPTIONS_INIT;
  rkchat_runtime_options runtime = RKCHAT_RUNTIME_OPTIONS_INIT;
  rkchat_model_info info = RKCHAT_MODEL_INFO_INIT;
  rkchat_completion answer = RKCHAT_COMPLETION_INIT;
  return (int)(open.reserved + generate.reserved + render.reserved + encode.reserved + decode.reserved +
               source.reserved + runtime.reserved + info.reserved + answer.reserved);
}
