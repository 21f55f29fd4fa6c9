//! An option and a method more are one edit of the surface: after the generator has run over a copy, C, C++,
//! the Python stub and TypeScript know them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const C: &str = r#"
#include <rkchat.h>
int64_t use(const rkchat_tokenizer *tokenizer, uint32_t *size);
int64_t use(const rkchat_tokenizer *tokenizer, uint32_t *size) {
  rkchat_generate_options options = RKCHAT_GENERATE_OPTIONS_INIT;
  rkchat_chat_template *chat_template = NULL;
  rkchat_adapter_info_list *list = NULL;
  options.last_word = rkchat_tokenizer_vocabulary_size(tokenizer, size, NULL);
  options.last_word += rkchat_tokenizer_beside(tokenizer, &chat_template, NULL);
  options.last_word += rkchat_tokenizer_listed(tokenizer, &list, NULL);
  return options.last_word;
}
"#;

const CPP: &str = r"
#include <rkchat.hpp>
std::uint32_t use(const rkchat::Tokenizer &tokenizer);
std::uint32_t use(const rkchat::Tokenizer &tokenizer) {
  rkchat::GenerateOptions options;
  options.last_word = tokenizer.vocabulary_size();
  const rkchat::ChatTemplate chat_template = tokenizer.beside();
  const std::vector<rkchat::AdapterInfo> list = tokenizer.listed();
  return static_cast<std::uint32_t>(*options.last_word);
}
";

const PYTHON: &str = r#"
import ast, sys
classes = {node.name: node for node in ast.walk(ast.parse(open(sys.argv[1]).read())) if isinstance(node, ast.ClassDef)}
methods = lambda name: {node.name: node for node in classes[name].body if isinstance(node, ast.FunctionDef)}
assert "last_word" in [argument.arg for argument in methods("Model")["generate"].args.kwonlyargs]
returns = {name: ast.unparse(method.returns) for name, method in methods("Tokenizer").items() if method.returns}
assert returns["vocabulary_size"] == "int"
assert returns["beside"] == "ChatTemplate" and returns["listed"] == "list[AdapterInfo]"
"#;

const TYPESCRIPT: &str = r"
import { type AdapterInfo, ChatTemplate, Model, Tokenizer } from './index'
export async function use(model: Model, tokenizer: Tokenizer): Promise<number> {
  model.generate([], { lastWord: 5 })
  const template: ChatTemplate = await tokenizer.beside()
  const list: AdapterInfo[] = await tokenizer.listed()
  return tokenizer.vocabularySize() + list.length + template.source().length
}
";

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Puts `text` before the first `}` at the beginning of a line that follows `after`.
fn insert(file: &Path, after: &str, text: &str) {
    let mut source = fs::read_to_string(file).unwrap();
    let start = source.find(after).expect("the surface has this item");
    let end = start + source[start..].find("\n}").expect("the item ends") + 1;
    source.insert_str(end, text);
    fs::write(file, source).unwrap();
}

fn generate(root: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rkchat-generator"))
        .args(["generate", "--root"])
        .arg(root)
        .args(arguments)
        .output()
        .unwrap()
}

#[track_caller]
fn succeeds(command: &mut Command) {
    let output = command.output().expect("the program is there");
    let text = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&text)
    );
}

#[test]
fn one_edit_reaches_every_language() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for part in ["core/src/surface", "ffi/src", "bindings/node/ts"] {
        copy(&checkout().join(part), &root.join(part));
    }

    let surface = root.join("core/src/surface");
    insert(
        &surface.join("options/request.rs"),
        "pub struct GenerateOptions",
        "    /// Only for a test.\n    /// @range 0..=9\n    pub last_word: Option<u32>,\n",
    );
    insert(
        &surface.join("handles/tokenizer.rs"),
        "impl Tokenizer",
        "
    /// Only for a test.
    pub fn vocabulary_size(&self) -> Result<u32> {
        self.inner.size()
    }

    /// Only for a test: a handle from another.
    /// @blocking
    pub fn beside(&self) -> Result<ChatTemplate> {
        self.inner.beside()
    }

    /// Only for a test: records that may not come.
    /// @blocking
    pub fn listed(&self) -> Result<Vec<AdapterInfo>> {
        self.inner.listed()
    }
",
    );

    let stale = generate(root, &["--check"]);
    assert!(!stale.status.success());
    assert!(String::from_utf8_lossy(&stale.stderr).contains("include/rkchat.h"));
    assert!(!root.join("include").exists(), "--check writes nothing");
    let done = generate(root, &[]);
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(generate(root, &["--check"]).status.success());

    let compile = |compiler: &str, name: &str, text: &str| {
        let source = root.join(name);
        fs::write(&source, text).unwrap();
        let mut command = Command::new(compiler);
        command.args(["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I"]);
        succeeds(command.arg(root.join("include")).arg(source));
    };
    compile("cc", "use.c", C);
    compile("c++", "use.cpp", CPP);

    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let stub = root.join("bindings/python/python/rkchat/_native.pyi");
    succeeds(Command::new(python).args(["-c", PYTHON]).arg(stub));

    // JavaScript gets the class, not the native object behind it.
    let wrapped = fs::read_to_string(root.join("bindings/node/ts/generated/tokenizer.ts")).unwrap();
    assert!(wrapped.contains("ChatTemplate[handle](await this.#native.beside())"));
    typescript(root);
}

#[test]
fn a_promise_for_a_generation_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let surface = root.join("core/src/surface");
    copy(&checkout().join("core/src/surface"), &surface);
    insert(
        &surface.join("handles/tokenizer.rs"),
        "impl Tokenizer",
        "\n    /// Only for a test.\n    /// @blocking\n    pub fn ask(&self) -> Result<Generation> {\n        self.inner.ask()\n    }\n",
    );
    let refused = generate(root, &[]);
    assert!(!refused.status.success());
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        told.contains("Tokenizer.ask: what gives a Generation is not @blocking"),
        "{told}"
    );
}

fn typescript(root: &Path) {
    let modules = checkout().join("bindings/node/node_modules");
    if !modules.join(".bin/tsc").exists() {
        eprintln!("NOT TESTED: TypeScript, because bindings/node/node_modules is missing (npm ci)");
        return;
    }
    let node = root.join("bindings/node");
    for name in ["tsconfig.json", "package.json"] {
        fs::copy(checkout().join("bindings/node").join(name), node.join(name)).unwrap();
    }
    std::os::unix::fs::symlink(modules.canonicalize().unwrap(), node.join("node_modules")).unwrap();
    fs::write(node.join("ts/use.ts"), TYPESCRIPT).unwrap();
    let tsc = modules.canonicalize().unwrap().join(".bin/tsc");
    succeeds(
        Command::new(tsc)
            .arg("--noEmit")
            .arg("--project")
            .arg(&node),
    );
}
