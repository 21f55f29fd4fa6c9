//! Reads structs that differ in type from group to group, but not in the names of their fields.

/// A parameter struct with the defaults that all groups share, and the given ones.
macro_rules! default_param {
    ($($field:ident: $value:expr),* $(,)?) => {
        RKLLMParam {
            top_k: 40,
            top_p: 0.9,
            temperature: 0.8,
            repeat_penalty: 1.1,
            mirostat_tau: 5.0,
            mirostat_eta: 0.1,
            $($field: $value,)*
            ..RKLLMParam::zeroed()
        }
    };
}

/// Sampling settings out of any struct that has them.
macro_rules! sampling {
    ($fields:expr) => {
        sampling!(
            $fields,
            top_k top_p temperature repeat_penalty frequency_penalty presence_penalty
            mirostat mirostat_tau mirostat_eta
        )
    };
    ($fields:expr, $($name:ident)*) => {
        Sampling { $($name: $fields.$name),* }
    };
}

/// `InitParams` out of what all groups' parameter structs have; in an unsafe block.
macro_rules! params {
    ($param:expr, $path:ident) => {
        read::params(
            $param.$path,
            $param.max_context_len,
            $param.max_new_tokens,
            sampling!($param),
        )
    };
}

/// Copies fields of the same name, or with `flags` C booleans.
macro_rules! copy {
    ($to:expr, $from:expr, flags $($name:ident)*) => { $($to.$name = $from.$name != 0;)* };
    ($to:expr, $from:expr, $($name:ident)*) => { $($to.$name = $from.$name;)* };
}

/// An `Input` out of an input struct; `$images` reads the multimodal member. In an unsafe block.
macro_rules! input {
    ($session:expr, $input:expr, $images:expr) => {
        match $input.input_type {
            RKLLM_INPUT_PROMPT => read::prompt($input.input.prompt_input),
            RKLLM_INPUT_TOKEN => {
                let tokens = $input.input.token_input;
                read::tokens(tokens.input_ids, tokens.n_tokens)
            }
            RKLLM_INPUT_EMBED => {
                let embed = $input.input.embed_input;
                read::embeddings($session, embed.embed, embed.n_tokens)
            }
            RKLLM_INPUT_MULTIMODAL => $images($session, &$input.input.multimodal_input),
            other => Err(format!("input_type must be 0 to 3, but got {other}")),
        }
    };
}

/// A `Turn` out of an input struct with role and thinking mode. In an unsafe block.
macro_rules! turn {
    ($input:expr, $read:expr) => {
        Turn {
            input: $read,
            role: guard::text("role", $input.role)?,
            enable_thinking: $input.enable_thinking != 0,
        }
    };
}

/// The images of an input struct that counts them.
macro_rules! pictures {
    ($fields:expr) => {
        read::Pictures {
            prompt: $fields.prompt,
            image_embed: $fields.image_embed,
            n_image: $fields.n_image,
            n_image_tokens: $fields.n_image_tokens,
            size: [$fields.image_width, $fields.image_height],
        }
    };
}
