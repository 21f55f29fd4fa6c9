//! Fields that several groups have under the same name.

/// Puts the values that are set into the fields of a struct that have the same names.
macro_rules! set_given {
    ($fields:expr, $given:expr, $($name:ident)*) => {
        $(if let Some(value) = $given.$name {
            $fields.$name = value;
        })*
    };
}

/// Puts the sampling settings that are set into a struct of a group.
macro_rules! set_sampling {
    ($fields:expr, $sampling:expr) => {
        set_given!(
            $fields, $sampling,
            top_k top_p temperature repeat_penalty frequency_penalty presence_penalty
            mirostat mirostat_tau mirostat_eta
        )
    };
}

/// Puts what every group has into its `RKLLMParam`.
macro_rules! set_param {
    ($param:expr, $params:expr) => {
        $param.max_context_len = i32::try_from($params.max_context_len).unwrap_or(i32::MAX);
        // rkchat counts and stops; the runtime's limit must not come first.
        $param.max_new_tokens = match $params.unlimited {
            true => -1,
            false => $param.max_context_len,
        };
        set_sampling!($param, $params.sampling);
    };
}

/// Puts in what the groups from 1.1.0 to 1.2.3 have besides.
macro_rules! set_markers {
    ($param:expr, $given:expr) => {
        // Read without a test for NULL by some releases (`QUIRKS.md`, "Structs/params").
        let [start, end, content] = &$given.markers;
        $param.img_start = start.as_ptr();
        $param.img_end = end.as_ptr();
        $param.img_content = content.as_ptr();
    };
}

/// Puts in what the groups since 1.2.0 have besides.
macro_rules! set_processors {
    ($param:expr, $params:expr) => {
        set_given!($param, $params, n_keep);
        set_given!($param.extend_param, $params, base_domain_id enabled_cpus_num enabled_cpus_mask);
        $param.extend_param.embed_flash = $params.embed_flash.unwrap_or(true).into();
    };
}

/// Puts in what the groups since 1.2.1 have besides.
macro_rules! set_batches {
    ($param:expr, $params:expr) => {
        // 0 is refused when the model is opened (`QUIRKS.md`, "Structs/params").
        $param.extend_param.n_batch = $params.n_batch.unwrap_or(1);
        $param.extend_param.use_cross_attn = $params.use_cross_attn.into();
    };
}

/// A run's inputs in the `RKLLMInput` of a group since 1.1.0; `multimodal` makes the struct of images, and
/// fields that are named are set in each.
macro_rules! inputs {
    ($buffers:expr, $multimodal:path $(, $field:ident: $value:expr)*) => {{
        let inputs = $buffers.inputs.iter_mut().map(|buffer| {
            let mut input = RKLLMInput::zeroed();
            $(input.$field = $value;)*
            match buffer {
                Buffer::Tokens(ids) => {
                    input.input_type = RKLLM_INPUT_TOKEN;
                    input.input.token_input = RKLLMTokenInput {
                        input_ids: ids.as_mut_ptr(),
                        n_tokens: ids.len(),
                    };
                }
                Buffer::Text(prompt) => {
                    input.input_type = RKLLM_INPUT_PROMPT;
                    input.input.prompt_input = prompt.as_ptr();
                }
                Buffer::Embeddings { values, tokens } => {
                    input.input_type = RKLLM_INPUT_EMBED;
                    input.input.embed_input = RKLLMEmbedInput {
                        embed: values.as_mut_ptr(),
                        n_tokens: *tokens,
                    };
                }
                Buffer::Multimodal(parts) => {
                    input.input_type = RKLLM_INPUT_MULTIMODAL;
                    input.input.multimodal_input = $multimodal(parts);
                }
            }
            input
        });
        inputs.collect::<Vec<_>>()
    }};
}

/// Declares `infer`, an `RKLLMInferParam` of a group since 1.1.0 with the run's mode and files, and what it
/// points to.
macro_rules! infer {
    ($infer:ident, $request:expr, $buffers:expr) => {
        let mut lora = $buffers.adapter.as_ref().map(|name| RKLLMLoraParam {
            lora_adapter_name: name.as_ptr(),
        });
        let mut cache = $buffers
            .save_cache
            .as_ref()
            .map(|path| RKLLMPromptCacheParam {
                save_prompt_cache: 1,
                prompt_cache_path: path.as_ptr(),
            });
        let mut $infer = RKLLMInferParam::zeroed();
        // The modes have the same numbers in every group that has them.
        $infer.mode = $request.mode as RKLLMInferMode;
        $infer.lora_params = lora.as_mut().map_or(std::ptr::null_mut(), |lora| lora);
        $infer.prompt_cache_params = cache.as_mut().map_or(std::ptr::null_mut(), |cache| cache);
    };
}

/// `RKLLMMultiModelInput` in the layout from 1.2.1b1 to 1.2.3.
macro_rules! images_with_sizes {
    ($name:ident, $struct:ident) => {
        fn $name(parts: &mut Parts) -> $struct {
            let mut input = $struct::zeroed();
            input.prompt = parts.prompt.as_ptr().cast_mut();
            if let Some((images, _)) = &mut parts.images {
                input.image_embed = images.values.as_mut_ptr();
                input.n_image_tokens = images.tokens;
                input.n_image = images.count;
                input.image_width = images.width;
                input.image_height = images.height;
            }
            input
        }
    };
}

/// How a group's `RKLLMResult` is read.
macro_rules! raw_result {
    ($($method:ident)*) => {
        impl RawResult for RKLLMResult {
            $(raw_result!(@ $method);)*

            fn text(&self) -> *const c_char {
                self.text
            }

            fn id(&self) -> i32 {
                self.token_id
            }

            fn hidden(&self) -> RKLLMResultLastHiddenLayer {
                self.last_hidden_layer
            }
        }
    };
    (@ own_state) => {
        const HIDDEN: u32 = RKLLM_RUN_GET_LAST_HIDDEN_LAYER;
    };
    (@ logits) => {
        fn logits(&self) -> Option<RKLLMResultLogits> {
            Some(self.logits)
        }
    };
    (@ perf) => {
        fn perf(&self) -> Option<Perf> {
            Some(Perf {
                prefill_ms: self.perf.prefill_time_ms,
                prefill_tokens: u32::try_from(self.perf.prefill_tokens).unwrap_or(0),
                decode_ms: self.perf.generate_time_ms,
                decode_tokens: u32::try_from(self.perf.generate_tokens).unwrap_or(0),
                peak_memory_mb: self.perf.memory_usage_mb,
            })
        }
    };
}
