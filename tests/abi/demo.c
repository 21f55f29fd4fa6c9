/* A program as written for Rockchip's library, in C: a question, the same in the background, and a long
 * answer that another thread ends. RKLLM_VERSION is the release it is for, 10203 for 1.2.3.
 * Arguments: the model's path. */

#include "rkllm.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "<|im_start|>user\n"
#define POSTFIX "<|im_end|>\n<|im_start|>assistant\n"

#if RKLLM_VERSION < 10100
#define RKLLM_RUN_FINISH LLM_RUN_FINISH
#define RKLLM_RUN_ERROR LLM_RUN_ERROR
#endif

struct answer {
    char text[8192];
    int tokens;
    int finished;
    int failed;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void add(struct answer *answer, const char *text, LLMCallState state)
{
    pthread_mutex_lock(&mutex);
    if (state == RKLLM_RUN_FINISH) {
        answer->finished++;
    } else if (state == RKLLM_RUN_ERROR) {
        answer->failed++;
    } else if (text != NULL) {
        strncat(answer->text, text, sizeof answer->text - strlen(answer->text) - 1);
        answer->tokens++;
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

#if RKLLM_VERSION < 10001
static void on_result(const char *text, void *userdata, LLMCallState state)
{
    add(userdata, text, state);
}
#elif RKLLM_VERSION < 10201
static void on_result(RKLLMResult *result, void *userdata, LLMCallState state)
{
    add(userdata, result->text, state);
}
#else
static int on_result(RKLLMResult *result, void *userdata, LLMCallState state)
{
    add(userdata, result->text, state);
    return 0;
}
#endif

static int open_model(LLMHandle *llm, const char *path)
{
    RKLLMParam param = rkllm_createDefaultParam();
#if RKLLM_VERSION < 10001
    param.modelPath = path;
#else
    param.model_path = path;
#endif
    param.max_context_len = 512;
    param.max_new_tokens = 160;
    param.top_k = 1;
    param.repeat_penalty = 1.0f;
#if RKLLM_VERSION < 10100
    return rkllm_init(llm, param, on_result);
#elif RKLLM_VERSION < 10300
    param.skip_special_token = true;
    return rkllm_init(llm, &param, on_result);
#else
    RKLLMCallback callback = {0};
    callback.result_callback = on_result;
    param.skip_special_token = true;
    return rkllm_init(llm, &param, &callback);
#endif
}

/* From 1.2.0 on the library puts the template around a question. */
static void write_prompt(char *prompt, size_t size, const char *question)
{
#if RKLLM_VERSION < 10200
    snprintf(prompt, size, PREFIX "%s" POSTFIX, question);
#else
    snprintf(prompt, size, "%s", question);
#endif
}

static int ask(LLMHandle llm, int background, const char *question, struct answer *answer)
{
    char prompt[512];
    memset(answer, 0, sizeof *answer);
    write_prompt(prompt, sizeof prompt, question);
#if RKLLM_VERSION < 10100
    (void)background;
    return rkllm_run(llm, prompt, answer);
#else
    RKLLMInput input;
    RKLLMInferParam infer;
    memset(&input, 0, sizeof input);
    memset(&infer, 0, sizeof infer);
#if RKLLM_VERSION >= 10201
    input.role = "user";
#endif
    input.input_type = RKLLM_INPUT_PROMPT;
    input.prompt_input = prompt;
    infer.mode = RKLLM_INFER_GENERATE;
    if (background)
        return rkllm_run_async(llm, &input, &infer, answer);
    return rkllm_run(llm, &input, &infer, answer);
#endif
}

#if RKLLM_VERSION >= 10001
static void wait_for(const int *counter, int least)
{
    pthread_mutex_lock(&mutex);
    while (*counter < least)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
}

struct aborter {
    LLMHandle llm;
    struct answer *answer;
    int status;
};

static void *abort_soon(void *argument)
{
    struct aborter *aborter = argument;
    wait_for(&aborter->answer->tokens, 5);
    aborter->status = rkllm_abort(aborter->llm);
    return NULL;
}
#endif

int main(int argc, char **argv)
{
    static struct answer answer;
    const char *question = "What is the capital of France?";
    LLMHandle llm = NULL;

    if (argc != 2 || open_model(&llm, argv[1]) != 0 || llm == NULL) {
        fprintf(stderr, "cannot open the model\n");
        return 1;
    }
#if RKLLM_VERSION >= 10200
    if (rkllm_set_chat_template(llm, "", PREFIX, POSTFIX) != 0)
        return 2;
#endif
    if (ask(llm, 0, question, &answer) != 0 || answer.finished != 1 || answer.failed)
        return 3;
    printf("answer: %s\n", answer.text);

#if RKLLM_VERSION >= 10100
    if (ask(llm, 1, question, &answer) != 0)
        return 4;
    wait_for(&answer.finished, 1);
    printf("background: %s\n", answer.text);
    /* The last callback has been made, but may not have returned yet. */
    while (rkllm_is_running(llm))
        usleep(1000);
#endif

#if RKLLM_VERSION >= 10001
    struct aborter aborter = {llm, &answer, -1};
    pthread_t thread;
    memset(&answer, 0, sizeof answer);
    if (pthread_create(&thread, NULL, abort_soon, &aborter) != 0)
        return 5;
    if (ask(llm, 0, "Write a long story about a river.", &answer) != 0)
        return 6;
    pthread_join(thread, NULL);
    if (aborter.status != 0 || answer.finished != 1)
        return 7;
    printf("aborted: %d\n", answer.tokens);
    if (ask(llm, 0, question, &answer) != 0)
        return 8;
    printf("afterwards: %s\n", answer.text);
#endif
    return rkllm_destroy(llm) == 0 ? 0 : 9;
}
