//! Images and videos of a request: their numbers, and their places in its prompt.

use super::prompt::Prompt;
use super::settings;
use crate::surface::*;
use crate::template::Rendered;
use crate::vendor::{Images, Markers, Multimodal, Videos};

/// Where the runtime puts an image, and a video (`BEHAVIOUR.md`, section 9).
const MARKS: [&str; 2] = ["<image>", "<video>"];

/// What parts of a message are called that stand for them.
const PARTS: [[&str; 2]; 2] = [["image", "image_url"], ["video", "video_url"]];

/// What a model is opened with that concerns them.
#[derive(Debug, Default)]
pub(super) struct MediaWay {
    image_markers: Markers,
    video_markers: Markers,
    /// Numbers of the model's embeddings, where known.
    width: Option<usize>,
    /// The runtime puts its own template around the prompt.
    pub templated: bool,
    /// The runtime reads exactly one row of that width for each token.
    exact: bool,
}

/// The images and videos of a request.
#[derive(Debug, Default)]
pub(super) struct Media {
    images: Option<Images>,
    videos: Option<Videos>,
}

impl MediaWay {
    pub fn of(options: &ModelOptions, width: Option<usize>, templated: bool, exact: bool) -> Self {
        Self {
            image_markers: settings::image_markers(options),
            video_markers: settings::video_markers(options),
            width,
            templated,
            exact,
        }
    }

    /// What a request brings, checked; none where it brings nothing.
    pub fn media(&self, options: &GenerateOptions) -> Result<Option<Media>> {
        let images = options.images.as_ref().map(|tensor| {
            const DIMENSIONS: [&str; 3] = ["images", "tokens of each", "numbers of each token"];
            let [count, tokens, width] = check_numbers("images", tensor, DIMENSIONS)?;
            self.check_width("images", width)?;
            Ok(Images {
                values: tensor.data().to_vec(),
                tokens,
                count,
                width: size(options.image_width),
                height: size(options.image_height),
                markers: self.image_markers.clone(),
            })
        });
        let videos = options.videos.as_ref().map(|tensor| {
            const DIMENSIONS: [&str; 4] = [
                "videos",
                "frames",
                "tokens of each",
                "numbers of each token",
            ];
            let [count, frames, tokens, width] = check_numbers("videos", tensor, DIMENSIONS)?;
            self.check_width("videos", width)?;
            Ok(Videos {
                values: tensor.data().to_vec(),
                tokens,
                frames,
                count,
                width: size(options.video_width),
                height: size(options.video_height),
                markers: self.video_markers.clone(),
            })
        });
        let media = Media {
            images: images.transpose()?,
            videos: videos.transpose()?,
        };
        for (sizes, tensor, name) in [
            (
                options.image_width.or(options.image_height).is_some(),
                options.images.is_some(),
                "images",
            ),
            (
                options.video_width.or(options.video_height).is_some(),
                options.videos.is_some(),
                "videos",
            ),
        ] {
            if sizes && !tensor {
                return Err(Error::invalid_argument(format!(
                    "a width or a height is given, and no `{name}`"
                )));
            }
        }
        let some = media.images.is_some() || media.videos.is_some();
        Ok(some.then_some(media))
    }

    /// Some models have several outputs of their vision part for each token, one after the other.
    fn check_width(&self, what: &str, width: usize) -> Result<()> {
        let fits = self.width.is_none_or(|own| match self.exact {
            true => width == own,
            false => width % own == 0,
        });
        match fits {
            true => Ok(()),
            false => Err(wrong_width(what, width, self.width)),
        }
    }

    /// Embeddings in place of tokens, checked; gives how many tokens they stand for.
    pub fn check_embeddings(&self, embeddings: &Tensor) -> Result<usize> {
        const WHAT: &str = "embeddings";
        let [tokens, width] = check_numbers(WHAT, embeddings, ["tokens", "numbers of each"])?;
        match self.width.is_none_or(|own| own == width) {
            true => Ok(tokens),
            false => Err(wrong_width(WHAT, width, self.width)),
        }
    }

    /// The markers that the runtime puts into prompts.
    fn markers(&self) -> impl Iterator<Item = &str> {
        let all = [&self.image_markers, &self.video_markers];
        let all = all.into_iter().flat_map(Markers::all);
        all.filter(|marker| !marker.is_empty())
    }

    /// Takes the places of images and videos out of what came from outside, and sees to it that nobody
    /// else made one. With `literal` nobody outside may write a marker either.
    pub fn settle(&self, prompt: &mut Rendered, media: &Media, literal: bool) -> Result<()> {
        for (mark, count) in MARKS.into_iter().zip(media.counts()) {
            let there = prompt.text.matches(mark).count();
            if there != count {
                return Err(Error::invalid_argument(format!(
                    "the prompt has {there} places {mark}, and there are {count} for it: texts cannot spell {mark}, and \
                     the chat template must take every one"
                )));
            }
            let places: Vec<usize> = prompt.text.match_indices(mark).map(|(at, _)| at).collect();
            for start in places {
                prompt.trust(&(start..start + mark.len()));
            }
        }
        if !literal {
            return Ok(());
        }
        let forged = self.markers().find(|marker| {
            let mut places = prompt.text.match_indices(marker);
            places.any(|(start, _)| prompt.is_untrusted(&(start..start + marker.len())))
        });
        match forged {
            None => Ok(()),
            Some(marker) => Err(super::spelled::refusal(marker)),
        }
    }
}

impl Media {
    /// How many images and videos there are.
    fn counts(&self) -> [usize; 2] {
        [
            self.images.as_ref().map_or(0, |images| images.count),
            self.videos.as_ref().map_or(0, |videos| videos.count),
        ]
    }

    /// The prompt with what goes into it.
    pub fn into_input(self, prompt: String) -> Multimodal {
        Multimodal {
            prompt,
            images: self.images,
            videos: self.videos,
        }
    }

    /// The messages with a mark in place of each part that stands for an image or a video. Whatever else
    /// goes into the prompt is looked at too: nothing there may spell a mark.
    pub fn mark(&self, messages: &Json, options: &GenerateOptions) -> Result<Json> {
        let mut marked = messages.clone();
        let mut parts = [0; 2];
        for message in marked.as_array_mut().into_iter().flatten() {
            let Some(content) = message.get_mut("content") else {
                continue;
            };
            if let Some(list) = content.as_array().filter(|list| list.iter().any(is_media)) {
                *content = flat(list, &mut parts)?.into();
            }
        }
        for ((mark, parts), (count, name)) in MARKS
            .into_iter()
            .zip(parts)
            .zip(self.counts().into_iter().zip(["images", "videos"]))
        {
            if parts != count {
                return Err(Error::invalid_argument(format!(
                    "the messages have {parts} parts for `{name}`, and there are {count} in it"
                )));
            }
            let others = [&options.tools, &options.documents, &options.variables];
            let others = others.into_iter().flatten();
            let spelled: usize = [&marked]
                .into_iter()
                .chain(others)
                .map(|json| json.to_string().matches(mark).count())
                .sum();
            if spelled != parts {
                return Err(Error::invalid_argument(format!(
                    "the messages spell {mark}, which stands for one of `{name}` in this prompt; take it out"
                )));
            }
        }
        Ok(marked)
    }
}

/// The parts of a message as one text.
fn flat(list: &[Json], parts: &mut [usize; 2]) -> Result<String> {
    let mut text = String::new();
    for part in list {
        if let Some(kind) = kind(part) {
            parts[kind] += 1;
            text.push_str(MARKS[kind]);
        } else if let (true, Some(said)) = (part["type"] == "text", part["text"].as_str()) {
            text.push_str(said);
        } else {
            return Err(Error::invalid_argument(format!(
                "a part of the type {} cannot go with images or videos; text can",
                part["type"]
            )));
        }
    }
    Ok(text)
}

/// Whether a part stands for an image (0) or a video (1).
fn kind(part: &Json) -> Option<usize> {
    let kind = part["type"].as_str()?;
    PARTS.iter().position(|kinds| kinds.contains(&kind))
}

fn is_media(part: &Json) -> bool {
    kind(part).is_some()
}

/// Refuses parts that stand for something that nobody gave.
pub(super) fn refuse_parts(prompt: &Prompt<'_>) -> Result<()> {
    let Prompt::Messages(messages) = prompt else {
        return Ok(());
    };
    let mut parts = messages
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|message| message["content"].as_array())
        .flatten();
    match parts.find(|part| is_media(part)) {
        None => Ok(()),
        Some(part) => Err(Error::invalid_argument(format!(
            "the messages have a part of the type {}, and the request no embeddings for it: rkchat does not load pictures. \
             Run the vision part of the model, and give what comes out as the option images or videos",
            part["type"]
        ))),
    }
}

/// The lengths of a tensor's dimensions, none of which is 0, and whose numbers are finite.
pub(super) fn check_numbers<const N: usize>(
    what: &str,
    tensor: &Tensor,
    dimensions: [&str; N],
) -> Result<[usize; N]> {
    let lengths = tensor.shape().iter().map(|length| usize::try_from(*length));
    let lengths: Vec<usize> = lengths.filter_map(|length| length.ok()).collect();
    let lengths = <[usize; N]>::try_from(lengths).ok();
    let Some(lengths) = lengths.filter(|lengths| lengths.iter().all(|length| *length > 0)) else {
        return Err(Error::invalid_argument(format!(
            "`{what}` has the shape {:?}; it takes [{}]",
            tensor.shape(),
            dimensions.join(", ")
        )));
    };
    match tensor.data().iter().position(|value| !value.is_finite()) {
        None => Ok(lengths),
        Some(place) => Err(Error::invalid_argument(format!(
            "`{what}` has {} at place {place}; its numbers are finite",
            tensor.data()[place]
        ))),
    }
}

pub(super) fn wrong_width(what: &str, width: usize, own: Option<usize>) -> Error {
    let own = own.unwrap_or_default();
    Error::invalid_argument(format!(
        "`{what}` has {width} numbers for each token, and the embeddings of this model have {own}"
    ))
}

fn size(pixels: Option<u32>) -> usize {
    pixels.map_or(0, |pixels| pixels as usize)
}
