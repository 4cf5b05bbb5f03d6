#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""swmesh-tea: vectors/NAME.hex must decode to vectors/NAME.json, and encode to
the same octets again; options, editing, exit status and messages.

In a .hex file a line "# args: ..." holds options for both directions. Run
from the build folder, or name the program in SWMESH_TEA.
"""
import json
import os
import pathlib
import subprocess
import sys
import unittest

TEA = os.environ.get("SWMESH_TEA", os.path.abspath("tools/swmesh-tea"))
VECTORS = sorted((pathlib.Path(__file__).parent / "vectors").glob("*.hex"))
ACCEPT, WITHDRAW, UNUSABLE = 0, 1, 2


def run(*args, text=""):
    """Run swmesh-tea; returns (status, stdout, stderr)."""
    done = subprocess.run([TEA, *args], input=text, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def read_vector(path):
    """Options and hex of a vector, comments taken out."""
    args, digits = [], []
    for line in path.read_text().splitlines():
        if line.startswith("# args:"):
            args = line.split(":", 1)[1].split()
        elif not line.startswith("#"):
            digits.append(line)
    return args, "\n".join(digits)


def compact(text):
    return "".join(text.split()).replace(":", "")


class Vectors(unittest.TestCase):
    def test_there_are_vectors(self):
        self.assertGreater(len(VECTORS), 15)

    def test_decode(self):
        for path in VECTORS:
            with self.subTest(path.stem):
                args, digits = read_vector(path)
                expected = json.loads(path.with_suffix(".json").read_text())
                status, out, err = run("decode", *args, text=digits)
                self.assertEqual(err, "")
                self.assertEqual(json.loads(out), expected)
                self.assertEqual(status, ACCEPT if expected["verdict"] == "accept" else WITHDRAW)

    def test_round_trip(self):
        for path in VECTORS:
            with self.subTest(path.stem):
                args, digits = read_vector(path)
                status, out, _ = run("decode", *args, text=digits)
                if status == ACCEPT:
                    again, encoded, _ = run("encode", *args, text=out)
                    self.assertEqual(again, ACCEPT)
                    self.assertEqual(encoded.strip(), compact(digits))

    def test_raw_alone(self):
        """Without its fields each sub-TLV is encoded from raw."""
        for path in VECTORS:
            with self.subTest(path.stem):
                args, digits = read_vector(path)
                status, out, _ = run("decode", *args, text=digits)
                if status != ACCEPT:
                    continue
                tree = json.loads(out)
                for tunnel in tree["tunnels"]:
                    tunnel["subtlvs"] = [
                        {key: sub[key] for key in ("type", "raw")} for sub in tunnel["subtlvs"]
                    ]
                self.assertEqual(
                    run("encode", *args, text=json.dumps(tree))[1].strip(), compact(digits))

    def test_propagate_is_accepted(self):
        for path in VECTORS:
            with self.subTest(path.stem):
                args, digits = read_vector(path)
                status, out, _ = run("decode", *args, text=digits)
                if status != ACCEPT:
                    continue
                passed_on = json.loads(out)["propagate"]
                args = [arg for arg in args if arg != "--attribute"]
                status, out, _ = run("decode", *args, passed_on)
                self.assertEqual(status, ACCEPT)
                self.assertEqual(json.loads(out)["propagate"], passed_on)


class Encode(unittest.TestCase):
    def encode(self, *subtlvs, tunnel="gre", args=()):
        tree = {"tunnels": [{"name": tunnel, "subtlvs": list(subtlvs)}]}
        status, out, err = run("encode", *args, json.dumps(tree))
        return status, out.strip(), err

    ENDPOINT = {"name": "tunnel-egress-endpoint", "family": "none"}
    ENDPOINT_HEX = "0606000000000000"

    def test_from_scratch(self):
        status, out, err = self.encode(
            {"name": "tunnel-egress-endpoint", "address": "fd00::1"},
            {"name": "encapsulation", "key": 100},
            {"name": "protocol-type", "protocol": 0x0800})
        self.assertEqual((status, err), (ACCEPT, ""))
        self.assertEqual(
            out, "00020022" "0616000000000002fd000000000000000000000000000001"
            "010400000064" "02020800")

    def test_edited_fields_win_over_raw(self):
        _, out, _ = run("decode", "00020012" "060a0000000000010a000001" "010400000064")
        tree = json.loads(out)
        tree["tunnels"][0]["subtlvs"][0]["address"] = "10.0.0.2"
        tree["tunnels"][0]["subtlvs"][1]["key"] = 200
        status, out, _ = run("encode", text=json.dumps(tree))
        self.assertEqual(status, ACCEPT)
        self.assertEqual(out.strip(), "00020012" "060a0000000000010a000002" "0104000000c8")

    def test_type_wins_over_name(self):
        tree = {"tunnels": [{"type": 7, "name": "gre", "subtlvs": [self.ENDPOINT]}]}
        self.assertEqual(run("encode", json.dumps(tree))[1].strip(), "00070008" + self.ENDPOINT_HEX)

    def test_numbers(self):
        for value, digits in (("0x0800", "0800"), (2048, "0800"), ("2048", "0800")):
            _, out, _ = self.encode(self.ENDPOINT, {"type": 2, "protocol": value})
            self.assertEqual(out, "0002000c" + self.ENDPOINT_HEX + "0202" + digits)

    def test_attribute_flags(self):
        tree = {"tunnels": [{"name": "ip-in-ip", "subtlvs": [self.ENDPOINT]}]}
        value = "00070008" + self.ENDPOINT_HEX
        for flags, head in ((None, "c0170c"), (0xC0, "c0170c"), (0xE0, "e0170c"), (0xD0, "d017000c")):
            if flags is not None:
                tree["flags"] = flags
            status, out, _ = run("encode", "--attribute", json.dumps(tree))
            self.assertEqual((status, out.strip()), (ACCEPT, head + value))

    def test_what_would_be_withdrawn_is_encoded_and_told(self):
        tree = {"flags": 0x80, "tunnels": [{"name": "ip-in-ip", "subtlvs": [self.ENDPOINT]}]}
        status, out, err = run("encode", "--attribute", json.dumps(tree))
        self.assertEqual(status, WITHDRAW)
        self.assertEqual(out.strip(), "80170c00070008" + self.ENDPOINT_HEX)
        self.assertIn("transitive bit", err)
        status, out, err = self.encode({"name": "ds-field", "ds": 1})
        self.assertEqual((status, out), (WITHDRAW, "00020003070101"))
        self.assertIn("no valid tunnel TLV", err)

    def test_forbidden_values_need_raw(self):
        forbidden = [
            ("gre", {"name": "protocol-type", "protocol": "0xffff"}, {"type": 2, "raw": "ffff"}),
            ("l2tpv3", {"type": 1, "session-id": 0}, {"type": 1, "raw": "00000000"}),
            ("vxlan", {"type": 8, "port": 0}, {"type": 8, "raw": "0000"}),
            ("vxlan", {"type": 9, "handling": 3}, {"type": 9, "raw": "03"}),
            ("gre", {"type": 5, "block-size": 33}, {"type": 5, "raw": "0021"}),
            ("gre", {"type": 3, "authenticator-type": 1, "authenticator": "00"},
             {"type": 3, "raw": "000100"}),
        ]
        for tunnel, fields, raw in forbidden:
            with self.subTest(fields):
                status, out, err = self.encode(self.ENDPOINT, fields, tunnel=tunnel)
                self.assertEqual((status, out), (UNUSABLE, ""))
                self.assertIn("tunnels[0].subtlvs[1]", err)
                self.assertIn("raw", err)
                status, out, _ = self.encode(self.ENDPOINT, raw, tunnel=tunnel)
                self.assertEqual(status, ACCEPT)
                self.assertTrue(out.endswith(raw["raw"]))

    def test_unusable(self):
        cases = [
            ("", "not JSON"),
            ("{", "not JSON"),
            ('{"tunnels": []} x', "not JSON"),
            ("[]", "tunnels"),
            ('{"tunnels": 1}', "tunnels"),
            ('{"tunnels": [1]}', "tunnels[0]"),
            ('{"tunnels": [{"type": 65536}]}', "tunnels[0]"),
            ('{"tunnels": [{"type": -1}]}', "tunnels[0]"),
            ('{"tunnels": [{"name": "grey"}]}', "tunnels[0]"),
            ('{"tunnels": [{"type": 2, "subtlv": []}]}', "'subtlv'"),
            ('{"tunnels": [{"type": 2, "subtlvs": {}}]}', "array"),
            ('{"tunnels": [{"type": 2, "subtlvs": [{"type": 256, "raw": ""}]}]}', "subtlvs[0]"),
            ('{"tunnels": [{"type": 2, "subtlvs": [{"type": 1}]}]}', "raw"),
            ('{"tunnels": [{"type": 2, "subtlvs": [{"type": 1, "kye": 1}]}]}', "'kye'"),
            ('{"tunnels": [{"type": 2, "subtlvs": [{"type": 1, "key": -1}]}]}', "4294967295"),
            ('{"tunnels": [{"type": 2, "subtlvs": [{"type": 1, "key": 4294967296}]}]}', "4294967295"),
            ('{"tunnels": [{"type": 2, "subtlvs": [{"type": 1, "key": "abc"}]}]}', "number"),
            ('{"tunnels": [{"type": 2, "subtlvs": [{"type": 1, "raw": "0"}]}]}', "hex"),
            ('{"tunnels": [{"type": 2, "subtlvs": [{"type": 4, "flags": 0}]}]}', "'color'"),
            ('{"tunnels": [{"type": 2, "subtlvs": [{"type": 6, "address": "x"}]}]}', "address"),
            ('{"tunnels": [{"type": 2, "subtlvs": [{"type": 6, "address": "::1", "family": "ipv4"}]}]}',
             "family"),
            ('{"tunnels": [{"type": 1, "subtlvs": [{"type": 1, "session-id": 1, "cookie": "%s"}]}]}'
             % ("00" * 9), "cookie"),
            ('{"tunnels": [{"type": 2, "subtlvs": [{"type": 99, "raw": "%s"}]}]}' % ("00" * 256),
             "too long"),
            ('{"tunnels": [{"type": 2, "subtlvs": [{"type": 10, "stack": []}]}]}', "stack"),
            ('{"tunnels": [{"type": 2, "subtlvs": [{"type": 253, "public-key": ""}]}]}', "1 to 1100"),
            ('{"tunnels": [{"type": 2, "subtlvs": [{"type": 253, "public-key": "%s"}]}]}'
             % ("00" * 1101), "1 to 1100"),
            ('{"tunnels": [{"type": 2, "subtlvs": [{"type": 254, "public-key": "00"}]}]}',
             "'public-key'"),
            ('{"tunnels": [{"type": 2, "subtlvs": [{"type": 10, "stack": [{"label": 1048576}]}]}]}',
             "stack"),
            ('{"tunnels": [%s]}' % ",".join(
                ['{"type": 99, "subtlvs": [{"type": 200, "raw": "%s"}]}' % ("00" * 9000)] * 8),
             "too long"),
        ]
        for text, says in cases:
            with self.subTest(text[:80]):
                status, out, err = run("encode", text=text)
                self.assertEqual((status, out), (UNUSABLE, ""))
                self.assertIn(says, err)
                self.assertEqual(len(err.splitlines()), 1)


class Decode(unittest.TestCase):
    GOOD = "00070008" "0606000000000000"

    def test_argument_and_separators(self):
        _, expected, _ = run("decode", self.GOOD)
        for args in (["0007", "0008", "06:06:00:00:00:00:00:00"], ["00 07 00 08\n0606 000000000000"]):
            status, out, _ = run("decode", *args)
            self.assertEqual((status, out), (ACCEPT, expected))
        status, out, _ = run("decode", text=self.GOOD.upper() + "\n")
        self.assertEqual((status, out), (ACCEPT, expected))

    def test_unusable(self):
        cases = [
            (["decode", "0"], "not hex"),
            (["decode", "zz"], "not hex"),
            (["decode", "--attribute", "c017"], "at least 3"),
            (["decode", "--attribute", "400101" "00"], "path attribute 1"),
            (["decode", "--attribute", "c0170c" + self.GOOD + "00"], "one attribute"),
            (["decode", "--frob"], "usage"),
            (["frob"], "usage"),
            ([], "usage"),
        ]
        for args, says in cases:
            with self.subTest([arg[:40] for arg in args]):
                status, out, err = run(*args)
                self.assertEqual((status, out), (UNUSABLE, ""))
                self.assertIn(says, err)

    def test_too_long(self):
        status, out, err = run("decode", text="00" * 65536)
        self.assertEqual((status, out), (UNUSABLE, ""))
        self.assertIn("65535", err)

    def test_truncated_attribute_is_withdrawn(self):
        for digits in ("c0170d" + self.GOOD, "d01700", "c01701"):
            status, out, _ = run("decode", "--attribute", digits)
            self.assertEqual(status, WITHDRAW)
            self.assertIn("shorter", json.loads(out)["reason"])

    def test_martian(self):
        digits = "0002000c" "060a000000000001" "f0000001"
        self.assertEqual(run("decode", digits)[0], WITHDRAW)
        status, out, _ = run("decode", "--allow-martian", digits)
        self.assertEqual(status, ACCEPT)
        self.assertTrue(json.loads(out)["tunnels"][0]["usable"])

    def test_help(self):
        status, out, _ = run("--help")
        self.assertEqual(status, 0)
        for word in ("decode", "encode", "--attribute", "--allow-martian", "raw", "exit status"):
            self.assertIn(word, out)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
