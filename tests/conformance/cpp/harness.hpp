// A small frame for tests: each is a function, and what it throws is its failure. The argument is the checkout.
#ifndef HARNESS_HPP
#define HARNESS_HPP

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <rkchat.hpp>

#define CHECK(condition) \
  do { \
    if (!(condition)) { \
      throw std::runtime_error(std::string(__FILE__ ":") + std::to_string(__LINE__) + ": not so: " #condition); \
    } \
  } while (0)

/// The expression must throw an error of the kind whose message has the words.
#define THROWS(wanted, words, expression) \
  do { \
    bool thrown = false; \
    try { \
      (void)(expression); \
    } catch (const rkchat::Error &error) { \
      thrown = true; \
      if (error.kind() != rkchat::ErrorKind::wanted || std::string(error.what()).find(words) == std::string::npos) { \
        throw std::runtime_error(std::string(__FILE__ ":") + std::to_string(__LINE__) + ": threw '" + error.what() + "'"); \
      } \
    } \
    if (!thrown) { \
      throw std::runtime_error(std::string(__FILE__ ":") + std::to_string(__LINE__) + ": no error: " #expression); \
    } \
  } while (0)

struct Test {
  const char *name;
  std::function<void()> run;
};

static std::string root;

inline std::string in_root(const std::string &path) { return root + "/" + path; }

inline std::string scripted_runtime(const std::string &group) {
  return in_root("target/release/runtime/scripted/" + group + "/librkllmrt.so");
}

inline std::string cpu_runtime(const std::string &group) {
  return in_root("target/release/runtime/" + group + "/librkllmrt.so");
}

inline std::vector<std::string> all_groups() {
  return {"1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.2.1b1", "1.2.1", "1.3.0"};
}

/// Those that take and give token ids; the others know text alone.
inline std::vector<std::string> token_groups() {
  return {"1.1.0", "1.2.0", "1.2.1b1", "1.2.1", "1.3.0"};
}

/// A folder that is gone at the end.
class Folder {
 public:
  Folder() {
    char path[] = "/tmp/rkchat-cpp-XXXXXX";
    CHECK(mkdtemp(path) != nullptr);
    path_ = path;
  }
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;
  ~Folder() {
    const auto remove = [](const char *path, const struct stat *, int, struct FTW *) { return std::remove(path); };
    nftw(path_.c_str(), remove, 8, FTW_DEPTH | FTW_PHYS);
  }

  /// A path in it; the folders on the way to it are there.
  std::string in(const std::string &name) const {
    for (auto slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
      mkdir((path_ + "/" + name.substr(0, slash)).c_str(), 0777);
    }
    return path_ + "/" + name;
  }

  /// Writes a file into it and gives its path.
  std::string write(const std::string &name, const std::string &data) const {
    const std::string path = in(name);
    std::ofstream(path, std::ios::binary) << data;
    return path;
  }
  const std::string &path() const { return path_; }

 private:
  std::string path_;
};

/// A file that is gone at the end.
class File {
 public:
  File(const std::string &name, const std::string &text) : path_(folder_.write(name, text)) {}
  const std::string &path() const { return path_; }

 private:
  Folder folder_;
  std::string path_;
};

inline int run_tests(int count, char **words, const std::vector<Test> &tests) {
  if (count != 2) {
    std::cerr << "usage: " << words[0] << " CHECKOUT\n";
    return 2;
  }
  root = words[1];
  alarm(600);
  int passed = 0, failed = 0;
  for (const Test &test : tests) {
    try {
      test.run();
      passed++;
      std::cout << "ok     " << test.name << std::endl;
    } catch (const std::exception &error) {
      failed++;
      std::cout << "FAILED " << test.name << ": " << error.what() << std::endl;
    }
  }
  std::cout << passed << " passed, " << failed << " failed" << std::endl;
  return failed == 0 ? 0 : 1;
}

#endif
