//! Templates that mean harm are stopped: in time, in memory, and without the process.

#[path = "common/counting.rs"]
mod counting;

use std::time::Duration;

use counting::turn;
use rkchat::{Error, ErrorKind, RenderOptions, Rendered, Template, TemplateOptions};
use serde_json::json;

const MEMORY: usize = 64 << 20;
/// Of the processor: other work on the machine takes its share of the clock.
const TIME: Duration = Duration::from_secs(1);

/// What this thread has had of the processor.
fn worked() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the struct is valid for the call.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(failed, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Renders one message and checks what that took.
fn bounded(source: &str, content: &str, memory: usize) -> Result<Rendered, Error> {
    let shown: String = source.chars().take(110).collect();
    let messages = json!([{"role": "user", "content": content}]);
    let options = RenderOptions {
        // The clock of the machine is read once and kept.
        now: Some("2026-03-07T08:05:09".to_owned()),
        ..RenderOptions::default()
    };
    let before = counting::begin();
    let start = worked();
    let result = Template::from_options(source, &TemplateOptions::default())
        .and_then(|template| template.render_marked(&messages, &options));
    let took = worked() - start;
    let most = counting::most() - before;
    println!("{took:?} {} KiB {shown}", most >> 10);
    if let Err(error) = &result {
        println!("  {error}");
        assert_eq!(error.kind(), ErrorKind::Template, "{shown}");
    }
    assert!(took < TIME, "{shown}: took {took:?}");
    assert!(most < memory, "{shown}: used {most} bytes");
    result
}

fn stopped(source: &str) {
    let before = counting::now();
    let shown: String = source.chars().take(110).collect();
    if let Ok(rendered) = bounded(source, "hi", MEMORY) {
        panic!("{shown}: rendered {} bytes", rendered.text.len());
    }
    let left = counting::now().saturating_sub(before);
    assert!(left < 64 << 10, "{shown}: {left} bytes were never freed");
}

#[test]
fn endless_work() {
    let _turn = turn();
    for source in [
        "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{{ 'some text' }}{% endfor %}{% endfor %}",
        "{% set ns = namespace(l=range(99999)|list) %}{% for a in range(99999) %}{% if 'x' in ns.l %}{% endif %}{% endfor %}",
        "{% set x = 'ab' * 1000000 %}{% for a in range(99999) %}{{ x|replace('ab', 'ba')|length }}{% endfor %}",
        "{% set x = 'a' * 4000000 %}{% for a in range(99999) %}{% if x == x ~ 'b' %}{% endif %}{% endfor %}",
        "{% set x = 'a' * 4000000 %}{% for a in range(99999) %}{% if x[-1] != x[3999999] %}y{% endif %}{{ x|length }}{% endfor %}",
        "{% set x = 'ab ' * 1000000 %}{% for a in range(99999) %}{% set y = x.split() %}{% endfor %}",
        "{% set x = '<' * 4000000 %}{% for a in range(99999) %}{% set y = x|escape %}{% endfor %}",
        "{% set x = 'a' * 2000000 %}{% for a in range(99999) %}{% set y = x.find('b' * 1000000) %}{% endfor %}",
        "{% set x = 'a' * 2000000 %}{% for a in range(99999) %}{% set y = x.upper().title().isalpha() %}{% endfor %}",
        "{% for a in range(99999) %}{% set y = range(99999)|sort(reverse=true)|map('string')|list %}{% endfor %}",
    ] {
        stopped(source);
    }
}

#[test]
fn endless_text() {
    let _turn = turn();
    for source in [
        "{{ 'x' * 10000000000 }}",
        "{{ ('x' * 9000000) * 90000000 }}",
        "{% set ns = namespace(x='x') %}{% for a in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x='x') %}{% for a in range(99) %}{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}{{ ns.x }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%.1000000000f' % 1.5 }}",
        "{{ '%*d' % (1000000000, 1) }}",
        "{{ '{:1000000000}'.format('x') }}",
        "{{ '{:.1000000000f}'.format(1.5) }}",
        "{{ '{:0100000000,}'.format(1) }}",
        "{{ 'x'.center(10000000000) }}{{ 'x'.zfill(10000000000) }}",
        "{{ '\\t'.expandtabs(10000000000) }}",
        "{{ 'x'|indent(1000000000000) }}",
        "{{ [1]|tojson(indent=1000000000000) }}",
        "{{ 'a,b'|replace('', 'x' * 1000000)|replace('', 'y' * 1000000) }}",
        "{{ ('x' * 1000000).join(range(99999)|map('string')) }}",
        "{{ range(99999)|join('x' * 1000000) }}",
        "{{ ['x' * 1000000]|batch(1000000000, 'y')|list }}",
        "{{ 'x'|list|slice(1000000000)|list }}",
        "{{ strftime_now('%1000000000d' * 100000) }}",
        "{{ 2 ** 1000000000 }}",
        "{% macro m(n) %}{{ 'x' * 30000000 }}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
    ] {
        stopped(source);
    }
}

#[test]
fn endless_lists() {
    let _turn = turn();
    for source in [
        "{{ [1] * 10000000000 }}",
        "{% set ns = namespace(x=[1]) %}{% for a in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x|length }}",
        "{% set ns = namespace(x=[1]) %}{% for a in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x|tojson }}",
        "{% set ns = namespace(x=[1]) %}{% for a in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=[1]) %}{% for a in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x == [ns.x[0], ns.x[1], 1][:2] + [] and [ns.x[0][0]] == 1 }}{{ ns.x|string|length }}",
        "{% set ns = namespace(x=[1]) %}{% for a in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=[1]) %}{% for a in range(9999) %}{% set ns.x = {'a': ns.x} %}{% endfor %}{{ ns.x|length }}",
        "{% set ns = namespace(x=[1]) %}{% for a in range(99999) %}{% set ns.x = ns.x|map('upper') %}{% endfor %}{{ ns.x|list }}",
        "{% set ns = namespace(x=[1]) %}{% for a in range(99999) %}{% set ns.x = [1]|map('default', ns.x) %}{% endfor %}{{ ns.x|list }}",
        "{% set ns = namespace(x=1) %}{% for a in range(99999) %}{% set ns.x = cycler(ns.x) %}{% endfor %}{{ ns.x.next() }}",
        "{% set ns = namespace(x=1) %}{% for a in range(99999) %}{% set ns.x = joiner(ns.x) %}{% endfor %}{{ ns.x() }}",
        "{% set ns = namespace() %}{% set ns.x = ns %}{% set ns.y = [ns, ns] %}{{ ns }}",
        "{% set ns = namespace() %}{% set ns.x = [ns] %}{{ ns.x == [ns.x] }}{{ ns.x|tojson }}",
        "{% for a in range(99999) %}{% for b in range(999) %}{% set x = namespace(a=[a]) %}{% endfor %}{% endfor %}",
    ] {
        stopped(source);
    }
}

#[test]
fn endless_depth() {
    let _turn = turn();
    let repeated =
        |open: &str, inner: &str, close: &str| open.repeat(20_000) + inner + &close.repeat(20_000);
    for source in [
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}".to_owned(),
        "{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{{ m() }}".to_owned(),
        "{% macro m(f) %}{{ f(f) }}{% endmacro %}{{ m(m) }}".to_owned(),
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}".to_owned(),
        "{% block a %}{{ self.a() }}{% endblock %}".to_owned(),
        "{% macro m(n) %}{% for a in [1] %}{% if true %}{{ [m(n + 1)]|join }}{% endif %}{% endfor %}{% endmacro %}{{ m(0) }}".to_owned(),
        format!("{{{{ {} }}}}", repeated("(", "1", ")")),
        format!("{{{{ {} }}}}", repeated("[", "", "]")),
        format!("{{{{ {} }}}}", repeated("{1:", "1", "}")),
        format!("{{{{ {} }}}}", repeated("f(", "", ")")),
        format!("{{{{ x{} }}}}", repeated("[1", "", "]")),
        format!("{{{{ {}1 }}}}", "not ".repeat(20_000)),
        format!("{{{{ {}1 }}}}", "-".repeat(20_000)),
        format!("{{{{ {}1 }}}}", "1 if ".repeat(20_000)),
        format!("{{{{ {}1 }}}}", "1 if 1 else ".repeat(20_000)),
        format!("{{{{ x{} }}}}", ".a".repeat(20_000)),
        format!("{{{{ x{} }}}}", "|upper".repeat(20_000)),
        format!("{{{{ 1{} }}}}", " or 0 and 1".repeat(20_000)),
        repeated("{% if true %}", "x", "{% endif %}"),
        repeated("{% for a in b %}", "x", "{% endfor %}"),
        "{% if true %}".repeat(20_000),
        format!("{{% set {} = 1 %}}", repeated("(", "a", ")")),
    ] {
        stopped(&source);
    }
}

/// A message that is written between other text, byte by byte: as many origins as a text can have.
const MIXED: &str = "{% set s %}{% for c in messages[0].content %}{{ c }}x{% endfor %}{% endset %}";

#[test]
fn text_of_many_origins() {
    let _turn = turn();
    let message = "<a".repeat(20_000);
    for source in [
        "{{ s * 200 }}",
        "{{ (s * 20)|upper|length }}",
        "{% for i in range(10000) %}{{ s }}{% endfor %}",
        "{% for i in range(1000) %}{% set y = s|tojson %}{% endfor %}",
        "{% for i in range(1000) %}{% set y = [s]|string %}{% endfor %}",
        "{% for i in range(1000) %}{% set y = s ~ i %}{% endfor %}",
        "{% for i in range(1000) %}{% set y = s|replace('x', 'y') %}{% endfor %}",
        "{% for i in range(1000) %}{% set y = s[::-1] %}{% endfor %}",
        "{% for i in range(1000) %}{% set y = s|escape|striptags %}{% endfor %}",
        "{% set ns = namespace(l=[]) %}{% for i in range(2000) %}{% set ns.l = ns.l + [s[1:] ~ i] %}{% endfor %}",
        "{% set ns = namespace(l=[]) %}{% for i in range(2000) %}{% set ns.l = ns.l + [s|upper] %}{% endfor %}",
    ] {
        let result = bounded(&format!("{MIXED}{source}"), &message, MEMORY);
        assert!(result.is_err(), "{source}");
    }
    for source in [
        "{{ s.replace('x', 'y')|length }}",
        "{{ s.split('x')|join('y')|length }}",
        "{% for c in s[::-1] %}{% endfor %}",
        "{% for i in range(99999) %}{% set y = s[1:].strip('q').removesuffix('x') %}{% endfor %}",
        "{% set ns = namespace(l=[]) %}{% for i in range(2000) %}{% set ns.l = ns.l + [s[1:]] %}{% endfor %}",
    ] {
        let _ = bounded(&format!("{MIXED}{source}"), &message, MEMORY);
    }
}

/// What a plain message can do to a template that means well.
#[test]
fn long_messages_take_no_longer_for_each_byte() {
    let _turn = turn();
    let pairs = "ac".repeat(100_000);
    let twice = "{{ messages[0].content.replace('a', 'b').replace('c', 'd') }}";
    let rendered = bounded(twice, &pairs, MEMORY).unwrap();
    assert_eq!(rendered.text, "bd".repeat(100_000));
    for content in [
        pairs,
        " ".repeat(200_000),
        "\u{3000}".repeat(60_000),
        "a-".repeat(100_000),
    ] {
        let _ = bounded(
            "{{ messages[0].content|wordwrap(1)|length }}",
            &content,
            MEMORY,
        );
    }
    let message = "<a".repeat(400_000);
    for source in [
        "{{ s.replace('x', 'y')|length }}",
        "{{ s|wordwrap(1)|length }}",
        "{% for i in range(1000) %}{% set y = s|tojson %}{% endfor %}",
        "{{ s * 200 }}",
    ] {
        // So long a message may take memory of its own.
        let _ = bounded(&format!("{MIXED}{source}"), &message, 4 * MEMORY);
    }
}

#[test]
fn long_conversations_are_honest() {
    let _turn = turn();
    let source = "{% set ns = namespace(all='') %}{% for m in messages %}{% set ns.all = ns.all ~ m.role ~ '\n' ~ m.content|trim ~ '\n' %}{% endfor %}{{ ns.all }}";
    let template = Template::from_options(source, &TemplateOptions::default()).unwrap();
    let turn = |index: usize| {
        let role = if index % 2 == 0 { "user" } else { "assistant" };
        json!({"role": role, "content": "Some words of an honest user. ".repeat(20)})
    };
    let messages: Vec<_> = (0..200).map(turn).collect();
    let rendered = template.render_marked(&messages.into(), &RenderOptions::default());
    assert!(rendered.unwrap().text.len() > 100_000);
}
