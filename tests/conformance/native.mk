# Builds and runs the C and C++ tests, and builds the examples. From the root of the checkout, after
# `make build`:
#   make -f tests/conformance/native.mk c | cpp | examples
# Each program ends with a line `N passed, N failed`.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

CC ?= cc
CXX ?= c++
# Where librkchat.so was built, and where the programs go.
lib ?= target/release
out ?= target/native
# For sanitizers.
EXTRA_CFLAGS ?=

warnings := -Wall -Wextra -Wpedantic -Werror
headers := include/rkchat.h include/rkchat.hpp
soname := $(out)/lib/librkchat.so.0
link = -L$(out)/lib -lrkchat -Wl,-rpath,$(abspath $(out)/lib)
# Test programs share helpers that not all of them use.
test_flags := $(warnings) -Wno-unused-function -g -Iinclude -pthread $(EXTRA_CFLAGS)

c_tests := $(addprefix $(out)/tests/c/,layout text templates bad_input messages stream chat opening groups runtimes numbers media model vectors)
cpp_tests := $(addprefix $(out)/tests/cpp/,text bad_input messages stream groups runtimes numbers media model)
examples := $(foreach name,chat cancel tools,$(out)/examples/c/$(name) $(out)/examples/cpp/$(name))

.PHONY: c cpp examples
c: $(c_tests) examples c-headers exports
	@for test in $(c_tests); do echo "$$test"; $$test $(CURDIR) || failed=1; done; exit $${failed:-0}

cpp: $(cpp_tests) examples cpp-headers
	@for test in $(cpp_tests); do echo "$$test"; $$test $(CURDIR) || failed=1; done; exit $${failed:-0}

examples: $(examples)

# The library under the name that programs load it by.
$(soname): $(lib)/librkchat.so
	@mkdir -p $(@D)
	ln -sf $(abspath $<) $@
	ln -sf $(@F) $(@D)/librkchat.so

$(out)/tests/c/%: tests/conformance/c/%.c $(wildcard tests/conformance/c/*.h) $(headers) $(soname)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(test_flags) $< -o $@ $(link)

$(out)/tests/cpp/%: tests/conformance/cpp/%.cpp $(wildcard tests/conformance/cpp/*.hpp) $(headers) $(soname)
	@mkdir -p $(@D)
	$(CXX) -std=c++11 $(test_flags) $< -o $@ $(link)

$(out)/examples/c/%: examples/c/%.c examples/c/common.h $(headers) $(soname)
	@mkdir -p $(@D)
	$(CC) -std=c99 $(warnings) $(EXTRA_CFLAGS) -O2 -Iinclude $< -o $@ $(link)

$(out)/examples/cpp/%: examples/cpp/%.cpp examples/cpp/common.hpp $(headers) $(soname)
	@mkdir -p $(@D)
	$(CXX) -std=c++11 $(warnings) $(EXTRA_CFLAGS) -O2 -Iinclude $< -o $@ $(link)

# --- The headers compile in every edition of their language, twice in one file, and the structs lie where
# surface.lock says: on 32 bit too, where the compiler can.

define compile_all
passed=0; failed=0; \
for compiler in $(1); do \
    if $$(tr , ' ' <<<"$$compiler") $(warnings) -Iinclude -fsyntax-only $(2); \
    then passed=$$((passed + 1)); else failed=$$((failed + 1)); fi; \
done; \
echo "$$passed passed, $$failed failed"; test $$failed = 0
endef

# The compiler for 32 bit, if it has the headers for that.
narrow = $(shell echo '\#include <stdint.h>' | $(CC) -m32 -x c -fsyntax-only - 2>/dev/null && echo $(CC),-m32)

comma := ,

.PHONY: c-headers cpp-headers
c-headers:
	@$(call compile_all,$(addprefix $(CC)$(comma)-std=,c99 c11 c17 c2x),tests/conformance/c/twice.c)
	@$(call compile_all,$(CC) $(narrow),tests/conformance/c/layout.c)

cpp-headers:
	@$(call compile_all,$(addprefix $(CXX)$(comma)-std=,c++11 c++14 c++17 c++20),tests/conformance/cpp/twice.cpp)

# --- The library exports rkchat_* and nothing else, and everything that the header declares.

.PHONY: exports
exports: $(soname)
	@nm -D --defined-only $< | awk '{ print $$3 }' | sort >$(out)/exported
	@grep -o '\brkchat_[a-z_]*(' include/rkchat.h | tr -d '(' | sort -u >$(out)/declared
	@if diff $(out)/declared $(out)/exported && readelf -d $< | grep -q 'SONAME.*librkchat.so.0'; \
	then echo '1 passed, 0 failed'; else echo '0 passed, 1 failed'; exit 1; fi
