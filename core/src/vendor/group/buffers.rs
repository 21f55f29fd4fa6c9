//! A run's inputs as the library reads them; they live until the run returns.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::vendor::{Images, Input, Markers, Multimodal, RunRequest, Videos};

/// All that a run points to.
pub(in crate::vendor) struct Buffers {
    /// As many as the model was opened for.
    pub inputs: Vec<Buffer>,
    pub role: CString,
    pub adapter: Option<CString>,
    pub save_cache: Option<CString>,
}

/// One input. The library is not promised to leave it as it is, so it is a copy.
pub(in crate::vendor) enum Buffer {
    Tokens(Vec<i32>),
    Text(CString),
    Embeddings { values: Vec<f32>, tokens: usize },
    Multimodal(Box<Parts>),
}

/// Text with images and videos, whose sizes fit their numbers.
pub(in crate::vendor) struct Parts {
    pub prompt: CString,
    pub images: Option<(Images, MarkerTexts)>,
    pub videos: Option<(Videos, MarkerTexts)>,
}

/// Start, end and content.
pub(in crate::vendor) type MarkerTexts = [CString; 3];

impl Buffers {
    /// Refuses what cannot be given to a model that was opened for so many inputs.
    pub fn of(request: &RunRequest, batches: usize) -> Result<Self, String> {
        if request.inputs.len() != batches {
            return Err(format!(
                "{} inputs were given to a model that was opened for {batches} in a run",
                request.inputs.len()
            ));
        }
        let save_cache = request.save_cache.as_deref();
        if let Some(relative) = save_cache.filter(|path| !path.is_absolute()) {
            let relative = relative.display();
            return Err(format!(
                "the prompt cache file {relative} is not named by an absolute path"
            ));
        }
        let inputs = request
            .inputs
            .iter()
            .map(buffer)
            .collect::<Result<_, _>>()?;
        let adapter = request.adapter.as_deref();
        Ok(Self {
            inputs,
            role: text("the role", request.role.as_deref().unwrap_or("user"))?,
            adapter: adapter
                .map(|name| text("the adapter's name", name))
                .transpose()?,
            save_cache: save_cache
                .map(|file| path("the prompt cache file", file))
                .transpose()?,
        })
    }

    /// The text, for groups that take nothing else; empty for what is not sent there.
    pub fn text(&self) -> &CStr {
        match self.inputs.first() {
            Some(Buffer::Text(text)) => text,
            _ => c"",
        }
    }
}

fn buffer(input: &Input) -> Result<Buffer, String> {
    Ok(match input {
        Input::Tokens(ids) => Buffer::Tokens(ids.clone()),
        Input::Text(prompt) => Buffer::Text(text("the prompt", prompt)?),
        Input::Embeddings { values, tokens } => {
            check("the embeddings", values, &[*tokens])?;
            Buffer::Embeddings {
                values: values.clone(),
                tokens: *tokens,
            }
        }
        Input::Multimodal(parts) => Buffer::Multimodal(Box::new(multimodal(parts)?)),
    })
}

fn multimodal(parts: &Multimodal) -> Result<Parts, String> {
    if parts.images.is_none() && parts.videos.is_none() {
        return Err("a multimodal input has neither an image nor a video".into());
    }
    let images = parts.images.as_ref().map(|images| {
        check("the images", &images.values, &[images.count, images.tokens])?;
        Ok::<_, String>((images.clone(), markers(&images.markers)?))
    });
    let videos = parts.videos.as_ref().map(|videos| {
        let sizes = [videos.count, videos.frames, videos.tokens];
        check("the videos", &videos.values, &sizes)?;
        Ok::<_, String>((videos.clone(), markers(&videos.markers)?))
    });
    Ok(Parts {
        prompt: text("the prompt", &parts.prompt)?,
        images: images.transpose()?,
        videos: videos.transpose()?,
    })
}

/// Refuses numbers that are not equally many for each token; `sizes` multiply to the tokens.
fn check(what: &str, values: &[f32], sizes: &[usize]) -> Result<(), String> {
    let tokens = sizes
        .iter()
        .try_fold(1, |product: usize, size| product.checked_mul(*size));
    match tokens {
        Some(tokens) if tokens > 0 && !values.is_empty() && values.len() % tokens == 0 => Ok(()),
        _ => Err(format!(
            "{what} are {} numbers, which are not equally many for each of {sizes:?} tokens",
            values.len()
        )),
    }
}

pub(super) fn markers(markers: &Markers) -> Result<MarkerTexts, String> {
    let marker = |marker: &str| text("a marker", marker);
    Ok([
        marker(&markers.start)?,
        marker(&markers.end)?,
        marker(&markers.content)?,
    ])
}

pub(super) fn text(what: &str, text: &str) -> Result<CString, String> {
    CString::new(text).map_err(|_| format!("{what} contains a NUL byte"))
}

pub(super) fn path(what: &str, path: &Path) -> Result<CString, String> {
    let bytes = path.as_os_str().as_bytes();
    CString::new(bytes).map_err(|_| format!("{what}: the path contains a NUL byte"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(input: Input) -> String {
        let request = RunRequest {
            inputs: vec![input],
            ..RunRequest::default()
        };
        Buffers::of(&request, 1).err().expect("refused")
    }

    #[test]
    fn what_the_library_would_read_past_is_refused() {
        let embeddings = |numbers, tokens| Input::Embeddings {
            values: vec![0.0; numbers],
            tokens,
        };
        for (numbers, tokens) in [(0, 0), (0, 1), (7, 0), (7, 2), (4, 8)] {
            let error = refused(embeddings(numbers, tokens));
            assert!(error.contains(&format!("{numbers} numbers")), "{error}");
        }
        let images = Images {
            values: vec![0.0; 8],
            tokens: usize::MAX,
            count: 2,
            ..Images::default()
        };
        let error = refused(Input::Multimodal(Box::new(Multimodal {
            images: Some(images),
            ..Multimodal::default()
        })));
        assert!(error.contains("images"), "{error}");
        assert!(refused(Input::Multimodal(Box::default())).contains("neither"));
        assert!(refused(Input::Text("a\0b".into())).contains("NUL"));
    }

    #[test]
    fn a_run_has_as_many_inputs_as_the_model_takes() {
        let one = RunRequest {
            inputs: vec![Input::Tokens(vec![1])],
            ..RunRequest::default()
        };
        assert!(Buffers::of(&one, 1).is_ok());
        assert!(Buffers::of(&one, 2).err().unwrap().contains("opened for 2"));
        assert!(Buffers::of(&RunRequest::default(), 1).is_err());
    }

    #[test]
    fn a_prompt_cache_never_goes_to_the_working_directory() {
        for (file, good) in [("cache.bin", false), ("", false), ("/tmp/cache.bin", true)] {
            let request = RunRequest {
                inputs: vec![Input::Tokens(vec![1])],
                save_cache: Some(file.into()),
                ..RunRequest::default()
            };
            assert_eq!(Buffers::of(&request, 1).is_ok(), good, "{file}");
        }
    }
}
