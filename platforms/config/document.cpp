// SPDX-License-Identifier: Apache-2.0
// Builds the Node tree from the events of yaml-cpp's parser, the only place where that library is used. The events
// come without recursion of ours and can be refused at once, which its own tree (YAML::Node) does not allow.
#include "platforms/config/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include "platforms/config/source_text.h"

namespace mho::config {
namespace {

constexpr const char* kAlias = "an alias (`*name`)";
constexpr const char* kNoAlias = "the value itself";

bool digit(char c) { return c >= '0' && c <= '9'; }

/// `010`, `-01.5`, `00`: octal to some readers of YAML and decimal to others.
bool has_leading_zero(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && digit(text[1]) &&
         text.find_first_not_of("0123456789.eE+-_") == std::string_view::npos;
}

/// Collects one document; every refusal is an InputError at the position of the event.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const SourceText& source) : source_(source) {}

  Node take() { return root_ ? std::move(*root_) : Node::null(source_.at(0), false); }
  /// An error to report instead of the parser's if a bracket is not closed: what the parser makes of the rest misleads.
  void refuse_unclosed_bracket() const {
    for (const Open& collection : open_) {
      const char first = source_.byte(collection.start);
      if (first != '[' && first != '{') continue;
      if (const auto place = source_.unclosed_bracket(collection.start))
        throw source_.at(*place).error("this bracket is not closed", "`[a, b]` or `{a: 1}`");
      return;
    }
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (document_) throw at(mark).error("a second document or text after the end", "one document in a file");
    document_ = true;
    const std::string_view before = source_.text().substr(0, offset(mark));
    for (std::size_t line = 0; line < before.size(); ++line) {
      if (before[line] == '%') throw source_.at(line).error("a YAML directive", "a document without directives");
      line = std::min(before.find('\n', line), before.size());
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    check_event(mark);
    if (expects_key()) throw at(mark).error("an empty key", "a name before the `:`");
    const bool is_explicit = source_.null_stands_at(offset(mark));
    place(Node::null(is_explicit ? at(mark) : empty_position(mark), is_explicit));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    throw at(mark).error(kAlias, kNoAlias);  // never comes: its anchor was refused
  }
  void OnAnchor(const YAML::Mark& mark, const std::string& /*name*/) override {
    throw at(mark).error("an anchor (`&name`)", "a value without anchor");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                const std::string& value) override {
    check_event(mark);
    const char first = source_.byte(offset(mark));
    const bool block = first == '|' || first == '>';
    const bool quoted = block || first == '"' || first == '\'';
    check_scalar(mark, value, quoted, block);
    if (expects_key()) {
      if (block) throw at(mark).error("a key written as a block of text", "a name before the `:`");
      start_key(mark, value, quoted);
    } else {
      place(Node::scalar(value, quoted, at(mark)));
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, Node::sequence(at(mark)));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, Node::mapping(at(mark)));
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    std::size_t start;
    std::optional<std::string> key;
    Position key_position;
  };

  static std::size_t offset(const YAML::Mark& mark) { return mark.pos < 0 ? 0 : static_cast<std::size_t>(mark.pos); }
  Position at(const YAML::Mark& mark) const { return source_.at(offset(mark)); }
  bool expects_key() const { return !open_.empty() && open_.back().node.is(Node::Kind::mapping) && !open_.back().key; }

  void check_event(const YAML::Mark& mark) {
    if (source_.byte(offset(mark)) == '!') throw at(mark).error("a tag (`!name`)", "a value without tag");
    if (++nodes_ > kMaxNodes) throw at(mark).error("too many values", std::to_string(kMaxNodes) + " values in a file");
  }

  void check_scalar(const YAML::Mark& mark, const std::string& value, bool quoted, bool block) const {
    for (std::size_t i = 0; i < value.size();) {
      const std::size_t length = utf8_length(std::string_view(value).substr(i, 4));
      const auto c = static_cast<unsigned char>(value[i]);
      if (length == 0 || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7F)
        throw at(mark).error("the text " + excerpt(value) + " contains a control character", "printable text");
      i += length;
    }
    if (quoted && !block && !source_.quote_closes(offset(mark)))  // yaml-cpp minds only without a final line break
      throw at(mark).error("this quote is not closed", "a quote at the end of the text");
    if (quoted) return;
    if (source_.text().substr(offset(mark), value.size()) != value)
      throw at(mark).error("the text " + excerpt(value) + " runs over several lines",
                           "one line, or a text in quotes or after `|`");
    if (has_leading_zero(value))
      throw at(mark).error("the number " + excerpt(value) + " begins with a zero",
                           "no leading zeros; quotes if it is a text");
  }

  void start_key(const YAML::Mark& mark, const std::string& key, bool quoted) {
    const std::string shown = "the key " + excerpt(key);
    if (key.empty() || key.find_first_of("\n\t") != std::string::npos || key.size() > kMaxKeyBytes)
      throw at(mark).error(shown + " is no name", "one line of 1 to " + std::to_string(kMaxKeyBytes) + " bytes");
    if (key == "<<" && !quoted) throw at(mark).error("a merge key (`<<`)", "`base:` for inheritance");
    Open& top = open_.back();
    if (top.node.find(key) != nullptr)
      throw at(mark).error(shown + " stands twice",
                           "once; first in line " + std::to_string(top.node.key_position(key).line()));
    top.key = key;
    top.key_position = at(mark);
  }

  /// yaml-cpp marks an empty value at whatever follows it, maybe lines further down.
  Position empty_position(const YAML::Mark& mark) const {
    if (open_.empty()) return at(mark);
    if (open_.back().node.is(Node::Kind::mapping)) return open_.back().key_position;
    const char next = source_.byte(offset(mark));
    return next == ',' || next == ']' ? at(mark) : open_.back().node.position();
  }

  void open(const YAML::Mark& mark, Node node) {
    check_event(mark);
    if (expects_key()) throw at(mark).error("a key that is " + node.describe(), "a name before the `:`");
    if (open_.size() >= static_cast<std::size_t>(kMaxDepth))
      throw at(mark).error("nested too deeply", std::to_string(kMaxDepth) + " levels");
    open_.push_back({std::move(node), offset(mark), std::nullopt, {}});
  }

  void close() {
    Node done = std::move(open_.back().node);
    open_.pop_back();
    place(std::move(done));
  }

  void place(Node value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (Open& top = open_.back(); top.key) {
      top.node.set(*top.key, std::move(value), top.key_position);
      top.key.reset();
    } else {
      top.node.append(std::move(value));
    }
  }

  const SourceText& source_;
  std::vector<Open> open_;
  std::optional<Node> root_;
  std::size_t nodes_ = 0;
  bool document_ = false;
};

/// yaml-cpp's messages in words that help.
InputError syntax_error(const YAML::Exception& error, const SourceText& source) {
  const bool known = !error.mark.is_null() && error.mark.pos >= 0;
  const Position where = source.at(known ? static_cast<std::size_t>(error.mark.pos) : source.text().size());
  if (error.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW || error.msg == YAML::ErrorMsg::END_OF_MAP_FLOW)
    return where.error("unexpected text between brackets", "a comma between entries");
  if (error.msg == YAML::ErrorMsg::END_OF_MAP || error.msg == YAML::ErrorMsg::END_OF_SEQ)
    return where.error("unexpected text", "an entry in line with those above it");
  if (error.msg == YAML::ErrorMsg::MAP_VALUE)
    return where.error("a `:` where no key can be", "quotes around a text with `: `; equal indentation of keys");
  if (error.msg.rfind(YAML::ErrorMsg::UNKNOWN_ANCHOR, 0) == 0) return where.error(kAlias, kNoAlias);
  return where.error("not valid YAML: " + error.msg);
}

}  // namespace

Node parse_text(std::string_view text, const std::string& name) {
  const SourceText source(text, name, kMaxFileBytes, kMaxNodes);
  TreeBuilder builder(source);
  try {
    std::istringstream stream{std::string(source.text())};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) continue;
  } catch (const InputError&) {
    builder.refuse_unclosed_bracket();
    throw;
  } catch (const YAML::Exception& error) {
    builder.refuse_unclosed_bracket();
    throw syntax_error(error, source);
  } catch (const std::logic_error& error) {  // out_of_range and the like from the depths of the parser
    throw source.at(0).error(std::string("not valid YAML: ") + error.what());
  }
  return builder.take();
}

}  // namespace mho::config
