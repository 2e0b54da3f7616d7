// SPDX-License-Identifier: Apache-2.0
#include "tests/tls/upstream_cases.h"

namespace postern::tls {
namespace {

using enum CertificateFault;
using Cases = std::vector<UpstreamCase>;

constexpr auto kRefused = ByOpenSsl::Refused;
constexpr auto kAccepted = ByOpenSsl::Accepted;
constexpr const char* kUnknownOid = "1.3.6.1.4.1.55555.1";

// The leaf of every day behind an intermediate made to order.
Scene through(const Recipe& intermediate, const Recipe& leaf = {}) {
  const Issued made = issue(intermediate, family().root);
  return {issue(leaf, made), {made}, family().root};
}

Scene below_root(const Recipe& root, const Recipe& intermediate, const Recipe& leaf = {}) {
  const Issued top = issue_self_signed(root);
  const Issued made = issue(intermediate, top);
  return {issue(leaf, made), {made}, top};
}

Scene asked_for(std::string name, const Recipe& leaf) {
  Scene scene = shows(leaf);
  scene.name = std::move(name);
  return scene;
}

Scene asked_at(std::string address, const Recipe& leaf) {
  Scene scene = shows(leaf);
  scene.name.clear();
  scene.address = std::move(address);
  return scene;
}

Recipe issuing_with(int nid, std::string value) {
  Recipe recipe = authority("issuing");
  recipe.more = {{nid, std::move(value)}};
  return recipe;
}

Recipe leaf_with(int nid, std::string value) { return {.more = {{nid, std::move(value)}}}; }

// As many authorities below the root as asked for, then the leaf.
Scene long_chain(size_t authorities) {
  Scene scene{{}, {}, family().root};
  Issued last = family().root;
  for (size_t i = 0; i < authorities; ++i) {
    last = issue(authority("step " + std::to_string(i)), last);
    scene.chain.push_back(last);
  }
  scene.leaf = issue({}, last);
  return scene;
}

void dates(Cases& cases) {
  const auto add = [&](const char* title, CertificateFault expected, Scene scene) {
    cases.push_back({title, expected, kRefused, std::move(scene)});
  };
  add("expired yesterday", Expired, shows({.ends = kNow - kDay}));
  add("expired a second ago", Expired, shows({.ends = kNow - 1}));
  add("expired before it began", Expired, shows({.begins = kNow - kDay, .ends = kNow - 2 * kDay}));
  add("expired in 1975", Expired, shows({.begins = 100 * kDay, .ends = 2000 * kDay}));
  add("valid tomorrow", NotYetValid, shows({.begins = kNow + kDay}));
  add("valid in a second", NotYetValid, shows({.begins = kNow + 1}));
  Recipe late = authority("issuing"), early = late;
  late.ends = kNow - kDay;
  early.begins = kNow + kDay;
  add("intermediate expired", Expired, through(late));
  add("intermediate not yet valid", NotYetValid, through(early));
  add("trusted root expired", Expired, below_root(late, authority("below")));
  add("RSA leaf expired", Expired, shows({.ends = kNow - kDay, .key = rsa_key(2048)}));
}

void names(Cases& cases) {
  const auto add = [&](const char* title, Scene scene, ByOpenSsl by_openssl = kRefused) {
    cases.push_back({title, WrongName, by_openssl, std::move(scene)});
  };
  add("another host", shows({.names = "DNS:bmc2.lab"}));
  add("name in the common name alone", shows({.names = ""}), kAccepted);
  add("name in the common name, another in SAN", shows({.names = "DNS:other.lab"}));
  add("name with something before it", shows({.names = "DNS:xbmc.lab"}));
  add("name with something behind it", shows({.names = "DNS:bmc.lab.evil.example"}));
  add("name as an email address", shows({.names = "email:root@bmc.lab"}), kAccepted);  // by common name
  add("name as a URI", shows({.subject = "x", .names = "URI:https://bmc.lab/"}));
  add("wildcard for everything", shows({.names = "DNS:*"}));
  add("wildcard for a top-level domain", shows({.names = "DNS:*.lab"}));
  const auto rack = [&](const char* title, const char* san, const char* asked,
                        ByOpenSsl by_openssl = kRefused) {
    add(title, asked_for(asked, {.names = std::string("DNS:") + san}), by_openssl);
  };
  rack("wildcard for its own parent", "*.rack.lab", "rack.lab");
  rack("wildcard for two labels", "*.rack.lab", "a.b.rack.lab");
  rack("two wildcards", "*.*.rack.lab", "a.b.rack.lab");
  rack("wildcard in the middle", "bmc.*.lab", "bmc.rack.lab");
  rack("wildcard at the end", "bmc.rack.*", "bmc.rack.lab");
  rack("wildcard behind a letter", "b*.rack.lab", "bmc.rack.lab", kAccepted);
  rack("wildcard before a letter", "*c.rack.lab", "bmc.rack.lab", kAccepted);
  rack("wildcard between letters", "b*c.rack.lab", "bmc.rack.lab");
  rack("wildcard in an IDNA label", "xn--*.rack.lab", "xn--bmc.rack.lab");
  rack("domain with a leading dot", ".rack.lab", "bmc.rack.lab");
  rack("any host of a domain asked for", "bmc.rack.lab", ".rack.lab", kAccepted);
  add("another address", asked_at("10.4.0.5", {.names = "IP:10.4.0.6"}));
  add("another IPv6 address", asked_at("fd00::5", {.names = "IP:fd00::6"}));
  add("address as a DNS name", asked_at("10.4.0.5", {.names = "DNS:10.4.0.5"}));
  add("wildcard for an address", asked_at("10.4.0.5", {.names = "DNS:*.4.0.5"}));
  add("address in the common name", asked_at("10.4.0.5", {.subject = "10.4.0.5", .names = ""}));
  add("name where an address is asked for", asked_at("10.4.0.5", {}));
  add("address where a name is asked for", shows({.subject = "x", .names = "IP:10.4.0.5"}));
}

void trust(Cases& cases) {
  const auto add = [&](const char* title, CertificateFault expected, Scene scene) {
    cases.push_back({title, expected, kRefused, std::move(scene)});
  };
  const auto bare = [&](const Issued& leaf) { return Scene{leaf, {}, family().root}; };
  add("self-signed", SelfSigned, bare(issue_self_signed({})));
  add("self-signed with RSA", SelfSigned, bare(issue_self_signed({.key = rsa_key(2048)})));
  add("self-signed authority as server", SelfSigned,
      bare(issue_self_signed(
          {.constraints = "critical,CA:TRUE", .usage = "critical,digitalSignature,keyCertSign"})));
  const Issued stranger = issue_self_signed(authority("stranger"));
  const Issued below = issue(authority("below the stranger"), stranger);
  add("untrusted root shown", UntrustedRoot, {issue({}, stranger), {stranger}, family().root});
  add("untrusted root shown behind an intermediate", UntrustedRoot,
      {issue({}, below), {below, stranger}, family().root});
  add("unknown issuer", IncompleteChain, bare(issue({}, stranger)));
  add("intermediate missing", IncompleteChain, bare(issue({}, family().issuing)));
  add("intermediate of another family", IncompleteChain,
      {issue({}, family().issuing), {below}, family().root});
  const Issued twin = issue_self_signed(authority("postern test root"));
  add("root of the trusted name with another key", UntrustedRoot, {issue({}, twin), {twin}, family().root});
  Recipe nameless{.authority_key = ""};
  add("issuer of the trusted name with another key", Malformed, bare(issue(nameless, twin)));
  add("leaf damaged", BadSignature,
      {damaged(issue({}, family().issuing)), {family().issuing}, family().root});
  const Issued hurt = damaged(family().issuing);
  add("intermediate damaged", BadSignature, {issue({}, family().issuing), {hurt}, family().root});
  add("RSA leaf damaged", BadSignature,
      {damaged(issue({.key = rsa_key(2048)}, family().issuing)), {family().issuing}, family().root});
}

void authorities(Cases& cases) {
  const auto add = [&](const char* title, CertificateFault expected, Scene scene) {
    cases.push_back({title, expected, kRefused, std::move(scene)});
  };
  add("issued by a leaf", BadCa, through({.subject = "a leaf"}));
  add("issuer without basic constraints", BadCa, through(authority("issuing", "")));
  add("issuer with CA:FALSE and keyCertSign", BadCa, through(authority("issuing", "critical,CA:FALSE")));
  add("issuer with constraints that may be ignored", BadCa, through(authority("issuing", "CA:TRUE")));
  Recipe no_usage = authority("issuing"), other_usage = no_usage, other_purpose = no_usage, old = no_usage;
  no_usage.usage = "";
  other_usage.usage = "critical,digitalSignature,cRLSign";
  other_purpose.purpose = "clientAuth";
  add("issuer without key usage", BadCa, through(no_usage));
  add("issuer without keyCertSign", BadCa, through(other_usage));
  add("issuer for clients only", WrongPurpose, through(other_purpose));
  old = {.subject = "old",
         .names = "",
         .constraints = "",
         .usage = "",
         .purpose = "",
         .subject_key = "",
         .authority_key = "",
         .version = 0};
  add("issuer of version 1", BadCa,
      through(old, {.authority_key = "", .raw = {{"2.5.29.35", 0, "\x30\x03\x80\x01\x01"}}}));
  add("path length of the root exceeded", PathLength,
      below_root(authority("short root", "critical,CA:TRUE,pathlen:0"), authority("below")));
  const Issued last = issue(authority("last", "critical,CA:TRUE,pathlen:0"), family().root);
  const Issued beyond = issue(authority("beyond"), last);
  add("path length of an intermediate exceeded", PathLength,
      {issue({}, beyond), {beyond, last}, family().root});
  Recipe one = authority("one below", "critical,CA:TRUE,pathlen:1");
  const Issued first = issue(one, family().root), second = issue(authority("second"), first),
               third = issue(authority("third"), second);
  add("path length of one exceeded", PathLength, {issue({}, third), {third, second, first}, family().root});
  cases.push_back(
      {"a chain of ten issuers", ChainTooLong, kAccepted, long_chain(10)});  // it follows a hundred
}

void strength(Cases& cases) {
  const auto add = [&](const char* title, CertificateFault expected, Scene scene) {
    cases.push_back({title, expected, kRefused, std::move(scene)});
  };
  add("RSA of 512 bits", WeakKey, shows({.key = rsa_key(512)}));
  add("RSA of 1024 bits", WeakKey, shows({.key = rsa_key(1024)}));
  add("RSA of 1536 bits", WeakKey, shows({.key = rsa_key(1536)}));
  add("curve of 192 bits", WeakKey, shows({.key = curve_key("P-192")}));
  add("curve of its own", WeakKey, shows({.key = key_with_curve_of_its_own()}));
  Recipe weak = authority("issuing"), own_curve = weak, sha1 = weak, md5 = weak;
  weak.key = rsa_key(1024);
  own_curve.key = key_with_curve_of_its_own();
  sha1.digest = EVP_sha1();
  md5.digest = EVP_md5();
  add("issuer with RSA of 1024 bits", WeakKey, through(weak));
  add("issuer with a curve of its own", WeakKey, through(own_curve));
  add("trusted root with RSA of 1024 bits", WeakKey, below_root(weak, authority("below")));
  add("issuer signed with SHA-1", WeakSignature, through(sha1));
  Recipe rsa = authority("issuing");
  rsa.key = rsa_key(2048);
  md5.subject = "below";
  add("issuer signed with MD5", WeakSignature, below_root(rsa, md5));
  add("leaf signed with SHA-1", WeakSignature, shows({.digest = EVP_sha1()}));
  add("leaf signed with SHA-1 and RSA", WeakSignature, through(rsa, {.digest = EVP_sha1()}));
  add("leaf signed with MD5 and RSA", WeakSignature, through(rsa, {.digest = EVP_md5()}));
}

void purposes_and_extensions(Cases& cases) {
  const auto add = [&](const char* title, CertificateFault expected, Scene scene,
                       ByOpenSsl by_openssl = kRefused) {
    cases.push_back({title, expected, by_openssl, std::move(scene)});
  };
  for (const char* purpose : {"clientAuth", "emailProtection", "codeSigning", "OCSPSigning"})
    add((std::string("for ") + purpose).c_str(), WrongPurpose, shows({.purpose = purpose}));
  add("a key that may only sign contracts", WrongPurpose, shows({.usage = "critical,nonRepudiation"}));
  add("Netscape's type of a client", WrongPurpose, shows(leaf_with(NID_netscape_cert_type, "client")));
  add("unknown critical extension", UnknownExtension, shows({.raw = {{kUnknownOid, 1, "\x05\x00"}}}));
  Recipe odd = authority("issuing"), keyless = odd;
  odd.raw = {{kUnknownOid, 1, "\x05\x00"}};
  keyless.subject_key = "";
  add("issuer with an unknown critical extension", UnknownExtension, through(odd));
  add("no authority key identifier", Malformed, shows({.authority_key = ""}));
  add("issuer without subject key identifier", Malformed,
      through(keyless, {.authority_key = "issuer:always"}));
  add("critical subject key identifier", UnknownExtension, shows({.subject_key = "critical,hash"}));
  add("path length without CA", Malformed, shows({.constraints = "critical,CA:FALSE,pathlen:1"}));
  add("keyCertSign without CA", Malformed, shows({.usage = "critical,digitalSignature,keyCertSign"}));
  add("no subject, names not critical", Malformed, shows({.subject = ""}));
  add("extensions in version 1", Malformed, shows({.version = 0}));
  add("alternative names twice", Malformed, shows({.raw = {{"2.5.29.17", 0, dns_names_der({"other.lab"})}}}));
  add("alternative names unreadable", Malformed,
      shows({.names = "", .raw = {{"2.5.29.17", 0, "\x30\x05\x82"}}}));
  add("basic constraints unreadable", Malformed,
      shows({.constraints = "", .raw = {{"2.5.29.19", 1, "\x30\x05\x01"}}}));
  const std::string hidden("good.lab\0.evil.example", 22);
  const std::string cut("bmc.lab\0.evil.example", 21);
  add("name cut by a NUL", Malformed, shows({.names = "", .raw = {{"2.5.29.17", 0, dns_names_der({cut})}}}));
  add("NUL in a second name", Malformed,
      shows({.names = "", .raw = {{"2.5.29.17", 0, dns_names_der({"bmc.lab", hidden})}}}), kAccepted);
  add("NUL in the common name", Malformed, shows({.subject = hidden}), kAccepted);
}

void constraints(Cases& cases) {
  const auto add = [&](const char* title, Scene scene) {
    cases.push_back({title, NameConstraints, kRefused, std::move(scene)});
  };
  const auto limited = [&](const char* words, const Recipe& leaf = {}) {
    return through(issuing_with(NID_name_constraints, std::string("critical,") + words), leaf);
  };
  add("another domain permitted", limited("permitted;DNS:other.lab"));
  add("a domain excluded", limited("excluded;DNS:bmc.lab"));
  add("the domain above excluded", limited("excluded;DNS:lab"));
  add("one of two names not permitted",
      limited("permitted;DNS:bmc.lab", {.names = "DNS:bmc.lab,DNS:x.other"}));
  add("a wildcard beyond what is permitted", [&] {
    Scene scene = limited("permitted;DNS:a.rack.lab", {.names = "DNS:*.rack.lab"});
    scene.name = "a.rack.lab";
    return scene;
  }());
  add("an address excluded",
      limited("excluded;IP:10.4.0.0/255.255.0.0", {.names = "DNS:bmc.lab,IP:10.4.0.5"}));
  add("another network permitted",
      limited("permitted;IP:10.5.0.0/255.255.0.0", {.names = "DNS:bmc.lab,IP:10.4.0.5"}));
  add("email excluded", limited("excluded;email:lab", {.names = "DNS:bmc.lab,email:root@lab"}));
  Recipe root = authority("limited root");
  root.more = {{NID_name_constraints, "critical,permitted;DNS:other.lab"}};
  add("trusted root limited", below_root(root, authority("below")));
}

void lists(Cases& cases) {
  const auto add = [&](const char* title, CertificateFault expected, const Issued& by,
                       const CrlRecipe& recipe, const Issued& leaf) {
    Scene scene{leaf, {family().issuing}, family().root};
    const bool of_root = by.get() == family().root.get();
    scene.crls = {list_revoked(family().root, of_root ? recipe : CrlRecipe{}),
                  list_revoked(of_root ? family().issuing : by, of_root ? CrlRecipe{} : recipe)};
    cases.push_back({title, expected, kRefused, std::move(scene)});
  };
  const Issued leaf = issue({}, family().issuing), rsa = issue({.key = rsa_key(2048)}, family().issuing);
  add("revoked", Revoked, family().issuing, {.revoked = {leaf.get()}}, leaf);
  add("RSA leaf revoked among others", Revoked, family().issuing, {.revoked = {leaf.get(), rsa.get()}}, rsa);
  add("intermediate revoked", Revoked, family().root, {.revoked = {family().issuing.get()}}, leaf);
  add("list out of date", CrlStale, family().issuing, {.ends = kNow - 1}, leaf);
  add("list of tomorrow", CrlStale, family().issuing, {.begins = kNow + kDay, .ends = kNow + 2 * kDay}, leaf);
  const Issued forger{curve_key("P-256"), family().issuing.certificate};
  add("list with a forged signature", CrlInvalid, forger, {}, leaf);
  Recipe no_lists = authority("issuing");
  no_lists.usage = "critical,keyCertSign";
  Scene scene = through(no_lists);
  scene.crls = {list_revoked(family().root, {}), list_revoked(scene.chain[0], {})};
  scene.crls[1] = list_revoked({curve_key("P-256"), scene.chain[0].certificate}, {});
  cases.push_back({"list of an issuer that may make none", CrlInvalid, kRefused, std::move(scene)});
}

void stapled(Cases& cases) {
  const Issued leaf = issue({}, family().issuing), other = issue({}, family().issuing);
  const auto add = [&](const char* title, CertificateFault expected, std::string ocsp,
                       ByOpenSsl by_openssl = kRefused) {
    Scene scene{leaf, {family().issuing}, family().root};
    scene.ocsp = std::move(ocsp);
    cases.push_back({title, expected, by_openssl, std::move(scene)});
  };
  const auto answer = [&](const AnswerRecipe& recipe) {
    return staple(leaf, family().issuing, family().issuing, recipe);
  };
  const auto by = [&](const Issued& signer) { return staple(leaf, family().issuing, signer, {}); };
  add("stapled: revoked", Revoked, answer({.status = V_OCSP_CERTSTATUS_REVOKED}));
  add("stapled: revoked, and out of date", Revoked,
      answer({.status = V_OCSP_CERTSTATUS_REVOKED, .ends = kNow - kDay / 2}));
  add("stapled: unknown", OcspUnknown, answer({.status = V_OCSP_CERTSTATUS_UNKNOWN}));
  add("stapled: out of date", OcspStale, answer({.begins = kNow - 3 * kDay, .ends = kNow - kDay}), kAccepted);
  add("stapled: of tomorrow", OcspStale, answer({.begins = kNow + kDay, .ends = kNow + 2 * kDay}), kAccepted);
  add("stapled: a month old without an end", OcspStale, answer({.begins = kNow - 30 * kDay, .ends = 0}),
      kAccepted);
  add("stapled: about another certificate", OcspInvalid,
      staple(other, family().issuing, family().issuing, {}));
  add("stapled: signed by the server", OcspInvalid, by(leaf));
  const Issued stranger = issue_self_signed(authority("stranger"));
  add("stapled: signed by a stranger", OcspInvalid, by(stranger));
  add("stapled: signed by a responder of another issuer", OcspInvalid,
      by(issue({.subject = "responder", .names = "", .purpose = "OCSPSigning"}, family().root)));
  add("stapled: signed by a responder that has expired", OcspInvalid,
      by(issue({.subject = "responder", .names = "", .purpose = "OCSPSigning", .ends = kNow - kDay},
               family().issuing)));
  std::string hurt = answer({});
  hurt[60] = static_cast<char>(hurt[60] ^ 1);  // in the responder's name
  add("stapled: damaged", OcspInvalid, hurt);
  add("stapled: not an answer", OcspInvalid, "\x30\x03\x0a\x01");
  add("stapled: try later", OcspInvalid, "\x30\x03\x0a\x01\x03");
  cases.push_back({"a promised answer does not come", OcspMissing, kAccepted,
                   shows(leaf_with(NID_tlsfeature, "status_request"))});
}

}  // namespace

const Family& family() {
  static const Family made = [] {
    Family family;
    family.root = issue_self_signed(authority("postern test root"));
    family.issuing = issue(authority("postern test issuing"), family.root);
    return family;
  }();
  return made;
}

Scene shows(const Recipe& leaf) { return {issue(leaf, family().issuing), {family().issuing}, family().root}; }

std::vector<UpstreamCase> bad_upstreams() {
  Cases cases;
  dates(cases);
  names(cases);
  trust(cases);
  authorities(cases);
  strength(cases);
  purposes_and_extensions(cases);
  constraints(cases);
  lists(cases);
  stapled(cases);
  return cases;
}

std::vector<UpstreamCase> good_upstreams() {
  Cases cases;
  const auto add = [&](const char* title, Scene scene) {
    cases.push_back({title, None, kAccepted, std::move(scene)});
  };
  add("a name", shows({}));
  add("a name in capitals", asked_for("BMC.Lab", {}));
  add("one of several names", shows({.names = "DNS:a.lab,DNS:bmc.lab,IP:10.4.0.9"}));
  add("a wildcard", asked_for("bmc.rack.lab", {.names = "DNS:*.rack.lab"}));
  add("an address", asked_at("10.4.0.5", {.names = "IP:10.4.0.5"}));
  add("an IPv6 address", asked_at("fd00::5", {.names = "IP:fd00::5"}));
  add("an address asked for as a name", asked_for("10.4.0.5", {.names = "IP:10.4.0.5"}));
  add("RSA of 2048 bits", shows({.key = rsa_key(2048)}));
  add("P-384", shows({.digest = EVP_sha384(), .key = curve_key("P-384")}));
  add("no subject, critical names", shows({.subject = "", .names = "critical,DNS:bmc.lab"}));
  add("below the root itself", {issue({}, family().root), {}, family().root});
  add("the root sent along", {issue({}, family().issuing), {family().issuing, family().root}, family().root});
  add("unneeded certificates sent along",
      {issue({}, family().issuing), {issue_self_signed({}), family().issuing}, family().root});
  add("seven issuers", long_chain(7));
  add("path length kept", through(authority("issuing", "critical,CA:TRUE,pathlen:0")));
  add("name within constraints", through(issuing_with(NID_name_constraints, "critical,permitted;DNS:lab")));
  const Issued own = issue_self_signed({});
  add("a self-signed server that is trusted", {own, {}, own});
  const Issued stranger = issue_self_signed(authority("old root"));
  Recipe crossed = authority("old root");
  crossed.key = stranger.key;
  add("a root cross-signed by a trusted one",
      {issue({}, stranger), {issue(crossed, family().root), stranger}, family().root});
  Scene listed = shows({});
  listed.crls = {list_revoked(family().root, {}), list_revoked(family().issuing, {})};
  add("not on the lists", std::move(listed));
  const auto with_staple = [&](const char* title, const Issued& signer, const AnswerRecipe& recipe) {
    Scene scene = shows(leaf_with(NID_tlsfeature, "status_request"));
    scene.ocsp = staple(scene.leaf, family().issuing, signer, recipe);
    add(title, std::move(scene));
  };
  with_staple("stapled: good", family().issuing, {});
  with_staple("stapled: good, by SHA-256", family().issuing, {.digest = EVP_sha256()});
  with_staple("stapled: good, of today, without an end", family().issuing, {.ends = 0});
  with_staple("stapled: good, by a responder",
              issue({.subject = "responder", .names = "", .purpose = "OCSPSigning"}, family().issuing), {});
  return cases;
}

}  // namespace postern::tls
