// A small frame for tests: each is a function, and what it throws is its failure. The argument is the checkout.
#ifndef HARNESS_HPP
#define HARNESS_HPP

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

/// A file that is gone at the end.
class File {
 public:
  File(const std::string &name, const std::string &text) {
    char folder[] = "/tmp/rkchat-cpp-XXXXXX";
    CHECK(mkdtemp(folder) != nullptr);
    folder_ = folder;
    path_ = folder_ + "/" + name;
    std::ofstream(path_) << text;
  }
  File(const File &) = delete;
  File &operator=(const File &) = delete;
  ~File() {
    std::remove(path_.c_str());
    rmdir(folder_.c_str());
  }
  const std::string &path() const { return path_; }

 private:
  std::string folder_, path_;
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
