//! Answers that no model should give.

use std::time::{Duration, Instant};

use super::super::{Format, Reader, kinds};
use super::{plain, read, read_all_ways, reader, tools};

/// Answers of every format, to be damaged.
const ANSWERS: &[&str] = &[
    "a\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"é\"}}\n</tool_call>\nb",
    "<tool_call><function=get_weather><parameter=city>\nX\n</parameter></function></tool_call> c",
    "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>X</arg_value>\n</tool_call>",
    "[TOOL_CALLS] [{\"name\": \"get_weather\", \"arguments\": {}}, {\"name\": \"b\"}]",
    "[TOOL_CALLS]get_weather[CALL_ID]123456789[ARGS]{\"city\": \"X\"}",
    "{\"name\": \"get_weather\", \"parameters\": \"{\\\"city\\\": \\\"\\\\u00e9\\\"}\"}; {\"name\": \"x\"}",
    "[get_weather(city='X', tags=[\"a\", 'b'], where={'k': (1, None)}), get_weather()]",
    "<|tool_call>call:get_weather{city:<|\"|>X<|\"|>,tags:[<|\"|>a<|\"|>,1],where:{a:{}}}<tool_call|>",
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    "<|channel|>analysis<|message|>h<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{}<|call|>",
    "<think>r</think>\n```json\n{\"name\": \"get_weather\"}\n```\n",
];

const PIECES: &[&str] = &[
    "<tool_call>",
    "</tool_call>",
    "<think>",
    "</think>",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "\\u12",
    ":",
    ",",
    "<function=",
    "</parameter>",
    "[TOOL_CALLS]",
    "<|\"|>",
    "```",
    "\n",
    " ",
    "é",
    "<",
    "get_weather",
    "(",
    "<｜tool▁sep｜>",
    "<|end|>",
    "<|start|>assistant",
    "null",
];

/// A small generator of numbers: the tests always see the same ones.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % end
    }
}

#[test]
fn damaged_answers_read_the_same_however_they_are_cut_and_lose_no_text() {
    let mut numbers = Numbers(7);
    let tools = tools();
    for round in 0..6000 {
        let mut chars: Vec<char> = ANSWERS[numbers.below(ANSWERS.len())].chars().collect();
        for _ in 0..=numbers.below(3) {
            let at = numbers.below(chars.len() + 1);
            match numbers.below(3) {
                0 => chars.truncate(at.max(1)),
                1 => drop(chars.splice(at..(at + 1).min(chars.len()), [])),
                _ => drop(chars.splice(at..at, PIECES[numbers.below(PIECES.len())].chars())),
            }
        }
        let text: String = chars.iter().collect();
        let names: Vec<&str> = kinds::names().collect();
        let format = Format::of_template("<think> <|channel|>analysis<|message|>");
        let format = format
            .with_tools(names[numbers.below(names.len())])
            .unwrap();
        let open = numbers.below(4) == 0;
        let whole = read(Reader::new(&format, open, Some(&tools)), [text.as_str()]);
        let single = text
            .char_indices()
            .map(|(at, c)| &text[at..at + c.len_utf8()]);
        let cut = read(Reader::new(&format, open, Some(&tools)), single);
        assert_eq!(cut, whole, "round {round}, {}: {text:?}", format.tools());
        // What is given out stands in the answer, in this order; delimiters may have been left out.
        let mut rest = text.chars();
        for piece in &whole.order {
            let (kind, given) = piece.split_once(": ").unwrap();
            for c in given.chars().filter(|_| !kind.starts_with("call")) {
                assert!(
                    rest.any(|other| other == c),
                    "round {round}: {text:?}: {whole:?}"
                );
            }
        }
        if whole.calls.is_empty() && !open && !text.contains(['<', '[']) {
            assert_eq!(whole.text, text, "round {round}, {}", format.tools());
        }
    }
}

/// Text that is nothing but a broken call comes back as it was.
#[test]
fn a_broken_call_is_given_back_whole() {
    for (kind, text) in [
        (
            "hermes",
            "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": ",
        ),
        (
            "hermes",
            "<tool_call>{\"name\": \"get_weather\", \"arguments\": {city: 1}}",
        ),
        (
            "hermes",
            "<tool_call>{\"name\": \"get_weather\", \"arguments\": {\"a\": True}}",
        ),
        ("hermes", "<tool_call>{\"arguments\": {}}"),
        ("hermes", "<tool_call>"),
        ("hermes", "<tool_call></tool_call>"),
        ("hermes", "<tool_call>{\"name\": \"f\", \"arguments\": [1]}"),
        ("hermes", "<tool_call>{\"name\": \"f\", \"arguments\": 5}"),
        (
            "hermes",
            "<tool_call>{\"name\": \"f\", \"arguments\": \"\\ud800x\"}",
        ),
        (
            "qwen3_coder",
            "<tool_call>\n<function=get_weather>\n<parameter=city>\nPar",
        ),
        ("qwen3_coder", "<function=get_weather>text</function>"),
        ("glm45", "<tool_call>get_weather\n<arg_key>city</arg_key>"),
        ("mistral", "[TOOL_CALLS]get_weather[ARGS]"),
        ("deepseek", "<｜tool▁calls▁begin｜><｜tool▁calls▁end｜>"),
        ("gemma4", "<|tool_call>call:get_weather{city:<|\"|>Par"),
        ("gemma4", "<|tool_call>call:get_weather{a:[1}"),
        (
            "lfm2",
            "<|tool_call_start|>[get_weather('Paris')]<|tool_call_end|>",
        ),
        (
            "kimi_k2",
            "<|tool_calls_section_begin|>x<|tool_calls_section_end|>",
        ),
    ] {
        let format = plain().with_tools(kind).unwrap();
        let outcome = read_all_ways(|| Reader::new(&format, false, Some(&tools())), text);
        assert_eq!(outcome.text, text, "{kind}");
        assert_eq!(
            outcome.reasons.len(),
            1,
            "{kind} {text:?} {:?}",
            outcome.reasons
        );
        assert!(outcome.calls.is_empty());
    }
}

#[test]
fn nesting_is_an_error_not_a_crash() {
    let deep = "[".repeat(200_000);
    for (kind, text) in [
        (
            "hermes",
            format!("<tool_call>{{\"name\": \"f\", \"arguments\": {{\"a\": {deep}"),
        ),
        (
            "hermes",
            format!(
                "<tool_call>{{\"name\": \"f\", \"arguments\": {{\"a\": {deep}{}}}}}",
                "]".repeat(200_000)
            ),
        ),
        ("gemma4", format!("<|tool_call>call:f{{a:{deep}")),
        ("lfm2", format!("<|tool_call_start|>[f(a={deep}")),
        ("json", deep.clone()),
    ] {
        let outcome = read(reader(kind), [text.as_str()]);
        assert!(outcome.calls.is_empty());
        assert_eq!(outcome.text, text, "{kind}");
    }
}

/// Twice the text must not take much more than twice the time: with quadratic time it takes four times,
/// and a megabyte minutes.
#[test]
fn long_answers_take_time_in_proportion() {
    let mega = 1_000_000;
    for (kind, begin, repeated, end) in [
        ("hermes", "", "word ", ""),
        ("hermes", "", " ", "x"),
        (
            "hermes",
            "<tool_call>{\"name\": \"get_weather\", \"arguments\": {}}",
            " \n",
            "x",
        ),
        ("hermes", "", "<tool_cal", ""),
        ("hermes", "", "<tool_call>", ""),
        (
            "hermes",
            "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": \"",
            "</tool_call> \\n",
            "\"}}",
        ),
        ("hermes", "", "<tool_call>{\"name\":\"f\"}</tool_call>", ""),
        (
            "hermes",
            "<tool_call>{\"name\": \"f\", \"arguments\": \"{\\\"a\\\": \\\"",
            "\\\\u00e9",
            "\\\"}\"}",
        ),
        (
            "qwen3_coder",
            "<function=get_weather><parameter=city>",
            "</parameter <\n",
            "</parameter></function>",
        ),
        ("gemma4", "<|tool_call>call:f{a:<|\"|>", "<|\"<", "<|\"|>}"),
        ("lfm2", "<|tool_call_start|>[f(a='", "\\n<", "')]"),
        ("json", "[", "{\"name\": \"get_weather\"},", "]"),
        ("glm45", "<tool_call>", "a", ""),
        ("mistral", "[TOOL_CALLS]", "a", ""),
        ("openai", "", "<|start|>assistant", ""),
    ] {
        let text = format!("{begin}{}{end}", repeated.repeat(mega / repeated.len()));
        let start = Instant::now();
        let mut reader = reader(kind);
        let mut places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        places.push(text.len());
        for ends in places.windows(2) {
            reader.push(&text[ends[0]..ends[1]]);
        }
        reader.finish();
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{kind} {repeated:?} took {:?}",
            start.elapsed()
        );
    }
}
