// Finding and getting runtimes, and files that are none.

#include "harness.hpp"

using rkchat::FindOptions;
using rkchat::GetOptions;
using rkchat::Model;
using rkchat::ModelOptions;
using rkchat::Runtime;
using rkchat::RuntimeInfo;

static const char SCRIPT[] = R"({"pieces": ["x"]})";
static const char LIBRARY[] = "/librkllmrt.so";

// Where in an ELF header its class and its machine are.
enum : std::size_t { ElfClass = 4, ElfMachine = 18 };
static const uid_t NOBODY = 65534;

static std::string content(const std::string &path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// Where runtimes are kept and looked for: a folder of this test's own.
class Places : public Folder {
 public:
  Places() {
    setenv("XDG_DATA_HOME", in("data").c_str(), 1);
    setenv("LD_LIBRARY_PATH", in("library").c_str(), 1);
  }

  /// A library that says it is of this release: a scripted one with the text of a version.
  std::string runtime(const std::string &release, const std::string &group, const std::string &folder) const {
    return write(folder + LIBRARY, content(scripted_runtime(group)) + '\0' + release + '\0');
  }
  std::string fetched(const std::string &release, const std::string &group) const {
    return runtime(release, group, "data/rkchat/runtimes/" + release);
  }
};

static FindOptions for_model(const std::string &version) {
  FindOptions options;
  options.model_version = version;
  return options;
}

static void the_one_that_fits_is_taken() {
  const Places places;
  const std::string fetched = places.fetched("1.1.4", "1.1.0");
  const std::string installed = places.runtime("1.2.3", "1.2.1", "library");
  const RuntimeInfo info = Runtime::find(for_model("1.1.2")).info();
  CHECK(info.path == fetched && *info.release == "1.1.4" && info.warnings.size() == 1);
  CHECK(info.evidence.back() ==
        "runtime 1.1.4 was taken for a model of version 1.1.2: the same minor version and not older");
  CHECK(Runtime::find(for_model("1.2.2")).info().path == installed);
  const RuntimeInfo newest = Runtime::find().info();
  CHECK(newest.path == installed && newest.evidence.back().find("newest") != std::string::npos);

  const std::string script = places.write("model.rkllm", SCRIPT);
  ModelOptions options;
  options.model_version = std::string("1.1.1");
  CHECK(Model::open(script, options).info().runtime.path == fetched);
  // Also one that is named has to fit.
  options.model_version = std::string("1.2.0");
  options.runtime = fetched;
  THROWS(RuntimeMismatch, "any_version", Model::open(script, options));
  options.any_version = true;
  CHECK(Model::open(script, options).complete_ids({1}).completion().text == "x");
}

static void nothing_there() {
  const Places places;
  THROWS(RuntimeNotFound, "rkchat runtime get 1.1.4", Runtime::find(for_model("1.1.4")));
  THROWS(InvalidArgument, "model_version: \"one\"", Runtime::find(for_model("one")));
  places.write(std::string("library") + LIBRARY, "text");
  THROWS(RuntimeNotFound, "it is not a shared library", Runtime::find());
}

static void nothing_that_fits() {
  const Places places;
  const std::string old = places.runtime("1.1.4", "1.1.0", "library");
  FindOptions options = for_model("1.2.0");
  THROWS(RuntimeMismatch, "rkchat runtime get 1.2.0", Runtime::find(options));
  options.any_version = true;
  const RuntimeInfo info = Runtime::find(options).info();
  CHECK(info.path == old && info.evidence.back().find("runtime 1.1.4 was forced") == 0);
  CHECK(info.warnings.back().kind == rkchat::WarningKind::VersionPair);
}

static void a_library_beside_a_model_is_not_loaded() {
  const Places places;
  const std::string script = places.write("download/model.rkllm", SCRIPT);
  const std::string beside = places.runtime("1.3.0", "1.3.0", "download");
  THROWS(RuntimeNotFound, beside + ": it lies beside a model and is none of Rockchip's official files",
         Model::open(script));
  FindOptions options;
  options.model_folder = places.in("download");
  THROWS(RuntimeNotFound, beside, Runtime::find(options));
  ModelOptions named;
  named.runtime = beside;
  CHECK(Model::open(*options.model_folder, named).info().runtime.path == beside);
}

static std::string get(const std::string &release, const std::string &source, const std::string &platform = "") {
  GetOptions options;
  options.release = release;
  options.source = source;
  if (!platform.empty()) options.platform = platform;
  return Runtime::get(options);
}

/// The member of a JSON object, a text of 40 letters.
static std::string hash_in(const std::string &details, const std::string &name) {
  const std::size_t at = details.find("\"" + name + "\":\"");
  CHECK(at != std::string::npos);
  const std::string hash = details.substr(at + name.size() + 4, 40);
  CHECK(hash.find_first_not_of("0123456789abcdef") == std::string::npos);
  return hash;
}

static void getting_a_file_that_is_another() {
  const Places places;
  try {
    get("1.1.4", scripted_runtime("1.1.0"));
    CHECK(!"an error");
  } catch (const rkchat::Error &error) {
    CHECK(error.kind() == rkchat::ErrorKind::RuntimeInvalid);
    const std::string message = error.what();
    CHECK(message.find("is not runtime 1.1.4 for Linux/aarch64") != std::string::npos);
    const std::string expected = hash_in(error.details(), "expected_sha1");
    const std::string found = hash_in(error.details(), "found_sha1");
    CHECK(expected != found && message.find(expected) != std::string::npos && message.find(found) != std::string::npos);
  }
  CHECK(access(places.in("data/rkchat/runtimes/1.1.4/librkllmrt.so").c_str(), F_OK) != 0);
}

static void getting_what_cannot_be() {
  const Places places;
  THROWS(InvalidArgument, "one of release and model_version", Runtime::get());
  GetOptions both;
  both.release = std::string("1.1.4");
  both.model_version = std::string("1.1.4");
  THROWS(InvalidArgument, "and only one", Runtime::get(both));
  THROWS(InvalidArgument, "\"9.9.9\" is not a release that rkchat knows", get("9.9.9", "x"));
  THROWS(InvalidArgument, "for Plan9/mips, only for", get("1.1.4", "x", "Plan9/mips"));
  THROWS(InvalidArgument, "http:// and https://", get("1.1.4", "ftp://example.org/librkllmrt.so"));
  THROWS(NotFound, "/no/such/file", get("1.1.4", "/no/such/file"));
}

static void files_that_are_no_runtime() {
  const Folder folder;
  const auto open = [&](const std::string &data) { return Runtime::open(folder.write("librkllmrt.so", data)); };
  THROWS(RuntimeInvalid, "it begins with \"not a library\"", open("not a library"));
  THROWS(RuntimeInvalid, "the file is empty", open(""));
  THROWS(RuntimeInvalid, "it is a web page", open("<!DOCTYPE html><html>"));
  THROWS(RuntimeInvalid, "it is a pointer of Git LFS", open("version https://git-lfs.github.com/spec/v1\n"));
  THROWS(RuntimeInvalid, "it is a folder; name the librkllmrt.so in it", Runtime::open(folder.path()));
  THROWS(RuntimeInvalid, "it does not export", Runtime::open(in_root("target/release/librkchat.so")));
  THROWS(RuntimeNotFound, "rkchat runtime get", Runtime::open(folder.in("missing.so")));

  std::string data = content(scripted_runtime("1.3.0"));
  THROWS(RuntimeInvalid, "the file is cut off", open(data.substr(0, 1000000)));
  data[ElfMachine] = static_cast<char>(183);
  THROWS(RuntimeInvalid, "it is built for AArch64 (64-bit Arm), and this program runs on x86-64", open(data));
  data[ElfMachine] = 3;
  data[ElfClass] = 1;
  THROWS(RuntimeInvalid, "it is a 32-bit library and this is a 64-bit program", open(data));
}

static void a_runtime_that_may_not_be_read() {
  const Folder folder;
  const std::string path = folder.write("librkllmrt.so", content(scripted_runtime("1.3.0")));
  CHECK(chmod(path.c_str(), 0) == 0);
  const bool is_root = geteuid() == 0;
  if (is_root) CHECK(seteuid(NOBODY) == 0);
  std::string message;
  try {
    Runtime::open(path);
  } catch (const rkchat::Error &error) {
    if (error.kind() == rkchat::ErrorKind::Io) message = error.what();
  }
  if (is_root) CHECK(seteuid(0) == 0);
  CHECK(message.find("permission denied") != std::string::npos);
}

int main(int count, char **words) {
  unsetenv("RKCHAT_RUNTIME");
  unsetenv("RKCHAT_ABI");
  return run_tests(count, words,
                   {{"the_one_that_fits_is_taken", the_one_that_fits_is_taken},
                    {"nothing_there", nothing_there},
                    {"nothing_that_fits", nothing_that_fits},
                    {"a_library_beside_a_model_is_not_loaded", a_library_beside_a_model_is_not_loaded},
                    {"getting_a_file_that_is_another", getting_a_file_that_is_another},
                    {"getting_what_cannot_be", getting_what_cannot_be},
                    {"files_that_are_no_runtime", files_that_are_no_runtime},
                    {"a_runtime_that_may_not_be_read", a_runtime_that_may_not_be_read}});
}
