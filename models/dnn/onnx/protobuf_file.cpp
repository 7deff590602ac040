// SPDX-License-Identifier: Apache-2.0
// POSIX files: opening without blocking and looking at the open file, not at its name, keeps FIFOs and devices out.
#include "models/dnn/onnx/protobuf_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/message_lite.h>

#include "models/input_error.h"

namespace mho::dnn {

namespace {

constexpr int kMaxNesting = 40;    // the nesting of a model without subgraphs is below 10
constexpr int kMaxAttempts = 100;  // names tried for the temporary file

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  bool close() {
    const int number = number_;
    number_ = -1;
    return number < 0 || ::close(number) == 0;
  }

 private:
  int number_;
};

[[noreturn]] void refuse(const std::string& path, const std::string& problem, const std::string& allowed = {}) {
  throw InputError(path, 0, 0, problem, allowed);
}

std::string system_text() { return std::strerror(errno); }

bool write_all(int file, const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::write(file, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    done += std::size_t(count);
  }
  return true;
}

}  // namespace

void read_message(const std::string& path, const char* what, google::protobuf::MessageLite& message) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (file.number() < 0) refuse(path, "cannot be opened: " + system_text());
  struct stat status = {};
  if (::fstat(file.number(), &status) != 0) refuse(path, "cannot be examined: " + system_text());
  if (!S_ISREG(status.st_mode)) refuse(path, "is not a regular file", what);
  if (status.st_size > kMaxFileBytes)
    refuse(path, "is " + std::to_string(status.st_size) + " bytes long", "at most " + std::to_string(kMaxFileBytes));
  if (status.st_size == 0) refuse(path, "is empty", what);
  google::protobuf::io::FileInputStream stream(file.number());
  google::protobuf::io::CodedInputStream coded(&stream);
  // A file that grows while it is read would end at this limit; the limit itself must be above the size.
  coded.SetTotalBytesLimit(int(status.st_size) + 1);
  coded.SetRecursionLimit(kMaxNesting);
  if (!message.ParsePartialFromCodedStream(&coded) || !coded.ConsumedEntireMessage())
    refuse(path, std::string("is damaged or not ") + what, what);
}

void write_whole_file(const std::string& path, const std::string& bytes) {
  std::string temporary;
  int number = -1;
  for (int attempt = 0; number < 0 && attempt < kMaxAttempts; ++attempt) {
    temporary = path + "." + std::to_string(::getpid()) + "." + std::to_string(attempt) + ".tmp";
    number = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (number < 0 && errno != EEXIST) break;
  }
  Descriptor file(number);
  if (number < 0) refuse(path, "cannot be written: " + system_text());
  const bool written = write_all(number, bytes);
  if (!written || !file.close() || std::rename(temporary.c_str(), path.c_str()) != 0) {
    const std::string reason = system_text();
    ::unlink(temporary.c_str());
    refuse(path, "cannot be written: " + reason);
  }
}

}  // namespace mho::dnn
