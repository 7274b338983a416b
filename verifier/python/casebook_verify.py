#!/usr/bin/env python3
"""Verifies an export bundle of Casebook without Casebook: docs/verification.md, a second time.

Shares no code with the program that writes bundles nor with `casebook-verify`; the tests compare the two.
Needs Python 3.9 or later and the package `cryptography` (Ed25519, AES-256-GCM).

    casebook_verify.py bundle.zip --fingerprint HEX [--anchors FOLDER] [--json]

Ends with 0 where the bundle is intact, 1 where it is not, 2 where it cannot be used.
"""

import argparse
import base64
import datetime
import hashlib
import json
import pathlib
import re
import sys
import uuid
import zipfile

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "casebook/bundle/1"
LISTED = ["record.ndjson", "access.ndjson", "checkpoints.ndjson", "proofs.ndjson", "keys.json", "index.html"]
LEDGERS = {1: "record", 2: "access"}
GENESIS = bytes(32)
# A checkpoint may be on its way from the anchors to the database while a bundle is made.
ON_ITS_WAY = 60_000_000  # microseconds


class Unusable(Exception):
    """Not a bundle, or nothing to verify it with."""


class Malformed(Exception):
    """Something is not written in the one way in which it is written."""


class Found(Exception):
    """The first thing that is wrong with a ledger, the checkpoints or a file."""

    def __init__(self, **finding):
        super().__init__(finding)
        self.finding = finding


# How values are written.


def need(condition):
    if not condition:
        raise Malformed


def sha256(content):
    return hashlib.sha256(content).digest()


def integer(value, least=-(2**63), most=2**63 - 1):
    need(type(value) is int and least <= value <= most)
    return value


def text(value):
    need(type(value) is str and not any("\ud800" <= character <= "\udfff" for character in value))
    return value


def hash_of(value):
    need(type(value) is str and re.fullmatch("[0-9a-f]{64}", value))
    return bytes.fromhex(value)


def hashes(value):
    need(type(value) is list)
    return [hash_of(each) for each in value]


def from_base64(value):
    need(type(value) is str)
    try:
        content = base64.b64decode(value, validate=True)
    except ValueError as error:
        raise Malformed from error
    need(base64.b64encode(content).decode() == value)
    return content


def identifier(value):
    need(type(value) is str)
    try:
        need(str(uuid.UUID(value)) == value)
    except ValueError as error:
        raise Malformed from error
    return uuid.UUID(value).bytes


EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def instant(value):
    need(type(value) is str and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value))
    try:
        at = datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    except ValueError as error:
        raise Malformed from error
    return (at - EPOCH) // datetime.timedelta(microseconds=1)


def optional(read, value):
    return None if value is None else read(value)


def members(value, required, may=()):
    need(type(value) is dict and set(required) <= set(value) <= set(required) | set(may))
    return value


def once(pairs):
    need(len({name for name, _ in pairs}) == len(pairs))
    return dict(pairs)


def parsed(content):
    try:
        return json.loads(content.decode(), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Malformed from error


# The length-prefixed encoding, rows and the chain.


def field(content):
    if content is None:
        return (-1).to_bytes(4, "big", signed=True)
    if type(content) is str:
        content = content.encode()
    if type(content) is int:
        content = content.to_bytes(8, "big", signed=True)
    return len(content).to_bytes(4, "big", signed=True) + content


def encoding(*contents):
    return b"".join(field(content) for content in contents)


def chain_hash(previous, row_hash):
    return sha256(encoding("casebook/chain/1", previous, row_hash))


# What is hashed of a row, in this order, and how each column is read.
COLUMNS = [
    ("clinic", identifier),
    ("ledger", lambda value: integer(value, 1, 2)),
    ("position", integer),
    ("stream_kind", text),
    ("stream_id", identifier),
    ("stream_version", integer),
    ("event_id", identifier),
    ("event_type", text),
    ("schema_version", lambda value: integer(value, -(2**15), 2**15 - 1)),
    ("patient", lambda value: optional(identifier, value)),
    ("patient_version", lambda value: optional(integer, value)),
    ("occurred_at", instant),
    ("recorded_at", instant),
    ("actor_kind", text),
    ("actor_user", lambda value: optional(identifier, value)),
    ("actor_name", text),
    ("actor_roles", text),
    ("actor_session", lambda value: optional(identifier, value)),
    ("on_behalf_of", lambda value: optional(identifier, value)),
    ("purpose", text),
    ("reason", lambda value: optional(text, value)),
    ("command", text),
    ("correlation_id", identifier),
    ("causation_id", identifier),
    ("client_address", lambda value: optional(text, value)),
    ("client_agent", lambda value: optional(text, value)),
    ("payload_hash", hash_of),
    ("sealed_hash", lambda value: optional(hash_of, value)),
]
FURTHER = ["sealed", "key", "previous_hash", "hash"]
MAYBE = ["payload", "payload_base64", "event_key"]
WITHHELD = ["position", "withheld", "row_hash", "previous_hash", "hash"]


class Row:
    """One line of a ledger's file, read and found to agree with itself."""

    def __init__(self, line):
        value = parsed(line)
        self.withheld = type(value) is dict and "withheld" in value
        if self.withheld:
            members(value, WITHHELD)
            need(value["withheld"] is True)
            self.columns = {"position": integer(value["position"])}
            row_hash = hash_of(value["row_hash"])
            self.sealed, parts_agree = None, True
        else:
            members(value, [name for name, _ in COLUMNS] + FURTHER, MAYBE)
            self.columns = {name: read(value[name]) for name, read in COLUMNS}
            row_hash = sha256(encoding("casebook/row/1", *(self.columns[name] for name, _ in COLUMNS)))
            parts_agree = self.read_parts(value)
        self.position = self.columns["position"]
        self.previous_hash = hash_of(value["previous_hash"])
        self.hash = hash_of(value["hash"])
        self.is_intact = parts_agree and self.hash == chain_hash(self.previous_hash, row_hash)

    def read_parts(self, value):
        payload, other = value.get("payload"), value.get("payload_base64")
        need((payload is None) != (other is None))
        payload = text(payload).encode() if other is None else from_base64(other)
        self.sealed = optional(from_base64, value["sealed"])
        agree = sha256(payload) == self.columns["payload_hash"]
        agree = agree and optional(sha256, self.sealed) == self.columns["sealed_hash"]
        self.key_state = text(value["key"])
        self.event_key = optional(from_base64, value.get("event_key"))
        if self.sealed is None:
            need(self.key_state == "none" and self.event_key is None)
        elif self.key_state == "given":
            need(self.event_key is not None and len(self.event_key) == 64)
        else:
            need(self.key_state in ("withheld", "destroyed", "lost") and self.event_key is None)
        return agree

    def is_of(self, bundle, ledger):
        """Whether it is a row of this ledger, as far as it says."""
        return self.withheld or (self.columns["clinic"], self.columns["ledger"]) == (bundle.clinic, ledger)

    def opens(self):
        """Whether the sealed part opens, where it is said to: AES-256-GCM behind a commitment to the key."""
        if self.sealed is None or self.key_state in ("withheld", "destroyed"):
            return True
        if self.key_state == "lost":
            return False
        cipher, commitment = self.event_key[:32], self.event_key[32:]
        place = self.columns["clinic"] + (self.columns["patient"] or bytes(16)) + self.columns["event_id"]
        if self.sealed[:32] != commitment:
            return False
        try:
            AESGCM(cipher).decrypt(bytes(12), self.sealed[32:], place)
        except (InvalidTag, ValueError):
            return False
        return True


# RFC 6962 trees.


def leaf_hash(data):
    return sha256(b"\x00" + data)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


class Tree:
    """A tree that grows on the right: the roots of its perfect subtrees, the largest first."""

    def __init__(self, size, peaks):
        need(size >= 0 and len(peaks) == bin(size).count("1"))
        self.size, self.peaks = size, list(peaks)

    def push(self, data):
        node, size = leaf_hash(data), self.size
        while size & 1:
            node, size = node_hash(self.peaks.pop(), node), size >> 1
        self.peaks.append(node)
        self.size += 1

    def root(self):
        if not self.peaks:
            return sha256(b"")
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = node_hash(peak, node)
        return node


def root_by_path(data, index, size, path):
    """The root that a leaf and its inclusion proof lead to (RFC 9162, 2.1.3.2); None where the path cannot be."""
    if not 0 <= index < size:
        return None
    node, place, last = leaf_hash(data), index, size - 1
    for sibling in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    return node if last == 0 else None


# Checkpoints.


class Checkpoint:
    """A signed note, taken apart. Nothing is believed of it yet."""

    def __init__(self, note, name):
        self.note = note
        body, separator, signatures = note.partition("\n\n")
        need(separator and note.endswith("\n"))
        self.signed = (body + "\n").encode()
        lines = body.split("\n")
        need(len(lines) in (7, 8) and lines[0] == name)
        self.leaves = self.number_in(lines[1])
        self.root = self.hash_in(lines[2])
        self.number = self.number_in(self.after("number ", lines[3]))
        self.time = instant(self.after("time ", lines[4]))
        previous = self.after("previous ", lines[5])
        self.previous = None if previous == "-" else self.hash_in(previous)
        self.changed = self.hash_in(self.after("changed ", lines[6]))
        self.next_key = self.hash_in(self.after("next-key ", lines[7])) if len(lines) == 8 else None
        self.signatures = []
        for line in signatures[:-1].split("\n"):
            signer, _, blob = self.after("\u2014 ", line).partition(" ")
            need(signer and not re.search(r"[\s+]", signer))
            blob = from_base64(blob)
            need(len(blob) >= 4)
            self.signatures.append((signer, blob[:4], blob[4:]))
        self.hash = sha256(note.encode())

    @staticmethod
    def after(prefix, line):
        need(line.startswith(prefix))
        return line[len(prefix):]

    @staticmethod
    def number_in(digits):
        need(re.fullmatch("0|[1-9][0-9]{0,18}", digits))
        return int(digits)

    @staticmethod
    def hash_in(value):
        content = from_base64(value)
        need(len(content) == 32)
        return content

    def follows(self, last):
        if last is None:
            return (self.number == 1) == (self.previous is None)
        return self.previous == last.hash and self.time >= last.time

    def signers(self, name, keys):
        """The public keys, of those that are known, by which it is signed."""
        for key in keys:
            key_hash = sha256(name.encode() + b"\x0a\x01" + key)[:4]
            if any(self.is_signed(key, blob) for by, named, blob in self.signatures if (by, named) == (name, key_hash)):
                yield key

    def is_signed(self, key, signature):
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, self.signed)
            return True
        except (InvalidSignature, ValueError):
            return False


def untrusted(number):
    return Found(verdict="checkpoint_untrusted", number=number)


class Point:
    """What a checkpoint says of one ledger: how many rows it had, and the root of their tree."""

    def __init__(self, number, size, root, charts):
        self.number, self.size, self.root, self.charts = number, size, root, charts

    def says(self):
        return self.size, self.root, self.charts


class Checkpoints:
    """The bundle's checkpoints, and what those that can be trusted say of the clinic."""

    def __init__(self, bundle, fingerprint):
        self.bundle, self.fingerprint = bundle, fingerprint
        self.name = f"casebook/{bundle.installation}"
        self.points = {1: [], 2: []}
        self.notes = {}
        self.last = self.finding = None
        self.trusted = False
        try:
            self.keys = self.read_keys()
        except Malformed:
            self.finding = {"verdict": "file_damaged", "file": "keys.json"}
            return
        try:
            try:
                self.handovers() if bundle.kind == "patient" else self.whole()
            finally:
                if not self.trusted:
                    self.points = {1: [], 2: []}
            self.end()
        except Found as found:
            self.finding = found.finding

    def end(self):
        if self.last is None:
            raise Found(verdict="checkpoint_missing", number=1)
        if not self.trusted:
            raise untrusted(self.last.number)
        if self.bundle.last_checkpoint != self.last.number:
            raise Found(verdict="checkpoint_missing", number=self.last.number + 1)
        if not self.points[1] or self.points[1][-1].number != self.last.number:
            raise untrusted(self.last.number)

    def read_keys(self):
        value = members(parsed(self.bundle.read("keys.json")), ["keys"])
        need(type(value["keys"]) is list)
        keys = []
        for entry in value["keys"]:
            members(entry, ["public_key", "fingerprint"])
            key = from_base64(entry["public_key"])
            need(len(key) == 32 and sha256(key) == hash_of(entry["fingerprint"]))
            keys.append(key)
        return keys

    def whole(self):
        """All checkpoints that there are: each names the one before, and is signed by who signed that or was named."""
        signer = None
        for line in self.bundle.lines("checkpoints.ndjson"):
            expected = self.last.number + 1 if self.last else 1
            checkpoint, ledgers = self.read(line, expected)
            if checkpoint.number > expected:
                raise Found(verdict="checkpoint_missing", number=expected)
            if checkpoint.number < expected or not checkpoint.follows(self.last):
                raise untrusted(expected)
            may_sign = [self.last.next_key or signer] if self.last else self.keys
            signer = next(iter(checkpoint.signers(self.name, may_sign)), None)
            if signer is None:
                raise untrusted(expected)
            self.trusted = self.trusted or sha256(signer) == self.fingerprint
            self.take(checkpoint, ledgers, expected)

    def handovers(self):
        """What comes with a chart: the checkpoints in which a key names the next, and the last."""
        trusted = {self.fingerprint}
        for line in self.bundle.lines("checkpoints.ndjson"):
            expected = self.last.number + 1 if self.last else 1
            checkpoint, ledgers = self.read(line, expected)
            if checkpoint.number < expected:
                raise untrusted(expected)
            self.trusted = any(sha256(key) in trusted for key in checkpoint.signers(self.name, self.keys))
            if self.trusted and checkpoint.next_key:
                trusted.add(sha256(checkpoint.next_key))
            self.take(checkpoint, ledgers, expected)

    def read(self, line, expected):
        try:
            value = members(parsed(line), ["number", "note", "ledgers"])
            checkpoint = Checkpoint(text(value["note"]), self.name)
            need(checkpoint.number == integer(value["number"]))
            need(type(value["ledgers"]) is list)
            return checkpoint, value["ledgers"]
        except Malformed:
            raise untrusted(expected) from None

    def take(self, checkpoint, ledgers, expected):
        try:
            before, taken = 0, []
            for entry in ledgers:
                members(entry, ["ledger", "size", "root", "charts", "index", "path"])
                ledger = integer(entry["ledger"], before + 1, 2)
                size, root = integer(entry["size"], 1), hash_of(entry["root"])
                charts = optional(hash_of, entry["charts"])
                leaf = encoding("casebook/ledger/1", self.bundle.clinic, ledger, size, root, charts)
                path = hashes(entry["path"])
                need(root_by_path(leaf, integer(entry["index"], 0), checkpoint.leaves, path) == checkpoint.root)
                points = self.points[ledger]
                need(not points or points[-1].size <= size)
                taken.append((points, Point(checkpoint.number, size, root, charts)))
                before = ledger
        except Malformed:
            raise untrusted(expected) from None
        for points, point in taken:
            points.append(point)
        self.notes[checkpoint.number] = checkpoint.note
        self.last = checkpoint


# Anchors.


class Anchors:
    """Checkpoints that were kept where the owner of the database cannot rewrite them."""

    def __init__(self, folder, bundle, checkpoints):
        self.points, self.compared, self.finding = {1: [], 2: []}, [], None
        for path in sorted(folder.glob("[0-9]" * 10 + ".checkpoint")):
            try:
                self.compare(path, bundle, checkpoints)
            except Found as found:
                # What later ones say of the ledgers counts all the same.
                self.finding = self.finding or found.finding

    def compare(self, path, bundle, checkpoints):
        number = int(path.name[:10])
        anchored, points = self.read(path, number, bundle)
        # What was anchored later cannot be in the bundle.
        if anchored.time > bundle.made_at:
            return
        self.compared.append(number)
        for ledger, point in points.items():
            self.points[ledger].append(point)
        if number not in checkpoints.notes:
            is_due = bundle.made_at - anchored.time >= ON_ITS_WAY
            last = checkpoints.last.number if checkpoints.last else 0
            if is_due and number > last and checkpoints.finding is None:
                raise Found(verdict="checkpoint_missing", number=number)
            return
        if checkpoints.notes[number] != anchored.note:
            raise Found(verdict="checkpoint_differs", number=number)
        for ledger, point in points.items():
            said = [one.says() for one in checkpoints.points[ledger] if one.number == number]
            if checkpoints.trusted and point.says() not in said:
                raise untrusted(number)

    @staticmethod
    def read(path, number, bundle):
        try:
            content = path.read_bytes().decode()
            body, first, rest = content.partition("\n\n")
            signatures, second, changes = rest.partition("\n\n")
            need(first and second)
            # Of which installation it is, the bundle says otherwise where it was forged.
            name = body.split("\n")[0]
            need(name == f"casebook/{uuid.UUID(name[len('casebook/'):])}")
            anchored = Checkpoint(f"{body}\n\n{signatures}\n", name)
            need(anchored.number == number and anchored.changed == sha256(changes.encode()))
            need(changes == "" or changes.endswith("\n"))
            points = {}
            for line in changes.split("\n")[:-1]:
                clinic, ledger, size, root, charts = line.split(" ")
                if identifier(clinic) == bundle.clinic:
                    charts = None if charts == "-" else Checkpoint.hash_in(charts)
                    point = Point(number, int(size), Checkpoint.hash_in(root), charts)
                    points[integer(int(ledger), 1, 2)] = point
            return anchored, points
        except (Malformed, ValueError, UnicodeDecodeError):
            raise Unusable(f"{path.name} is no anchor") from None


# Ledgers.


class Ledger:
    """What was found in the rows of one ledger."""

    def __init__(self, number):
        self.number = number
        self.rows = self.withheld = self.opened = self.covered = self.last = 0
        self.finding = self.not_opened = None

    def count(self, row):
        self.rows += 1
        self.last = row.position
        self.withheld += row.withheld
        if row.opens():
            self.opened += not row.withheld and row.sealed is not None and row.key_state == "given"
        elif self.not_opened is None:
            self.not_opened = {"verdict": "not_opened_at", "position": row.position}

    def findings(self):
        found = [self.finding, self.not_opened]
        return [{"ledger": LEDGERS[self.number], **finding} for finding in found if finding]


def walk(bundle, number, checkpoints, anchors):
    """Both ledgers of a clinic, or a stretch of them: by the chain, and by the roots that were signed."""
    ledger, extent = Ledger(number), bundle.extents[number]
    # By size; what is anchored comes first.
    points = {point.size: point for point in checkpoints.points[number]}
    points |= {point.size: point for point in (anchors.points[number] if anchors else [])}
    # A clinic's bundle reaches to the end of its ledgers; a stretch says where it ends.
    points = {size: point for size, point in points.items()
              if extent["from"] <= size and (bundle.kind == "clinic" or size <= extent["to"])}
    anchored_upto = max(anchors.compared, default=0) if anchors else None
    try:
        walk_rows(bundle, ledger, extent, points, anchored_upto)
    except Found as found:
        ledger.finding = found.finding
    return ledger


def walk_rows(bundle, ledger, extent, points, anchored_upto):
    tree, chain = Tree(extent["from"] - 1, extent["peaks"]), extent["previous_hash"]
    matched, ledger.last = 0, extent["from"] - 1
    for line in bundle.lines(f"{LEDGERS[ledger.number]}.ndjson"):
        expected = ledger.last + 1
        try:
            row = Row(line)
        except Malformed:
            raise Found(verdict="altered_at", position=expected) from None
        if row.position > expected:
            raise Found(verdict="gap_at", position=expected)
        if row.position < expected:
            raise Found(verdict="altered_at", position=row.position)
        if not (row.is_of(bundle, ledger.number) and row.previous_hash == chain and row.is_intact):
            raise Found(verdict="altered_at", position=expected)
        ledger.count(row)
        chain = row.hash
        tree.push(row.hash)
        point = points.pop(expected, None)
        if point and tree.root() != point.root:
            raise Found(verdict="altered_between", after=matched, up_to=expected)
        if point:
            matched = expected
            if anchored_upto is None or point.number <= anchored_upto:
                ledger.covered = expected
    if ledger.last < extent["to"] or points:
        raise Found(verdict="cut_off_after", position=ledger.last)
    if ledger.last > extent["to"]:
        raise Found(verdict="altered_at", position=extent["to"] + 1)


def walk_chart(bundle, number, checkpoints):
    """The rows of one patient: each by its inclusion proof, and that none is missing by the signed count."""
    ledger, points = Ledger(number), checkpoints.points[number]
    signed = points[-1] if points and points[-1].number == checkpoints.last.number else None
    try:
        versions = chart_rows(bundle, ledger, signed)
        if number == 1:
            complete(bundle, signed, versions)
    except Found as found:
        ledger.finding = found.finding
    return ledger


def chart_rows(bundle, ledger, signed):
    size, versions = signed.size if signed else 0, {}
    for line in bundle.lines(f"{LEDGERS[ledger.number]}.ndjson"):
        try:
            row = Row(line)
        except Malformed:
            raise Found(verdict="altered_at", position=ledger.last + 1) from None
        covered, columns = row.position <= size, row.columns
        good = not row.withheld and row.is_intact and row.position > ledger.last and row.is_of(bundle, ledger.number)
        good = good and columns["patient"] in bundle.patients
        if good and covered:
            path = bundle.event_proofs.get((ledger.number, row.position))
            good = path is not None and root_by_path(row.hash, row.position - 1, size, path) == signed.root
        if not good:
            raise Found(verdict="altered_at", position=row.position)
        ledger.count(row)
        if covered:
            ledger.covered = row.position
        versions.setdefault(columns["patient"], []).append((columns["patient_version"], covered))
    return versions


def complete(bundle, point, versions):
    """That the events of each patient are numbered 1, 2, 3 … and that there are as many as were signed."""
    for patient in bundle.patients:
        chart, rows = bundle.chart_proofs.get(patient), versions.get(patient, [])
        named = str(uuid.UUID(bytes=patient))
        for expected, (version, _) in enumerate(rows, 1):
            if version != expected:
                raise Found(verdict="event_missing", patient=named, patient_version=expected)
        signed = sum(covered for _, covered in rows)
        if chart is None:
            if signed or not rows:
                raise Found(verdict="count_not_proven", patient=named)
            continue
        leaf = encoding("casebook/chart/1", patient, chart["count"])
        bucket = root_by_path(leaf, chart["index"], chart["bucket_size"], chart["path"])
        charts = root_by_path(chart["bucket_root"], patient[-1], 256, chart["bucket_path"])
        proven = point and point.charts and bucket == chart["bucket_root"] and charts == point.charts
        if signed > chart["count"] or not proven:
            raise Found(verdict="count_not_proven", patient=named)
        if signed < chart["count"]:
            raise Found(verdict="event_missing", patient=named, patient_version=signed + 1)


# The bundle.


class Bundle:
    """The ZIP and its manifest."""

    def __init__(self, path):
        try:
            self.zip = zipfile.ZipFile(path)
            names = self.zip.namelist()
            manifest = self.zip.read("manifest.json")
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise Unusable(f"{path} is not a bundle: {error}") from None
        self.damaged = []
        try:
            stated = self.zip.read("manifest.sha256").decode()
        except (KeyError, ValueError, zipfile.BadZipFile):
            stated = ""
        if stated != f"{sha256(manifest).hex()}  manifest.json\n":
            self.damaged.append("manifest.json")
        try:
            self.read_manifest(parsed(manifest))
        except Malformed:
            raise Unusable("the manifest is not one of a bundle that this program knows") from None
        self.compare_files(names)
        self.event_proofs, self.chart_proofs = {}, {}
        if self.kind == "patient":
            self.read_proofs()

    def read_manifest(self, value):
        members(value, ["format", "kind", "installation", "clinic", "slug", "patients", "made_at", "record", "access",
                        "last_checkpoint", "files"])
        need(value["format"] == FORMAT and value["kind"] in ("clinic", "range", "patient"))
        self.kind, self.slug = value["kind"], text(value["slug"])
        self.installation, self.clinic = uuid.UUID(bytes=identifier(value["installation"])), identifier(value["clinic"])
        need(type(value["patients"]) is list and bool(value["patients"]) == (self.kind == "patient"))
        self.patients = [identifier(each) for each in value["patients"]]
        self.made_at, self.made_at_text = instant(value["made_at"]), value["made_at"]
        self.extents = {1: self.extent(value["record"]), 2: self.extent(value["access"])}
        self.last_checkpoint = optional(lambda number: integer(number, 1), value["last_checkpoint"])
        need(type(value["files"]) is list)
        self.files = {}
        for entry in value["files"]:
            members(entry, ["name", "bytes", "sha256"])
            need(text(entry["name"]) not in self.files)
            self.files[entry["name"]] = (integer(entry["bytes"], 0), hash_of(entry["sha256"]))
        need(list(self.files) == LISTED)

    def extent(self, value):
        members(value, ["rows", "range"])
        extent, stretch = {"rows": integer(value["rows"], 0)}, value["range"]
        need((stretch is None) == (self.kind == "patient"))
        if stretch is not None:
            members(stretch, ["from", "to", "previous_hash", "peaks"])
            extent["from"] = integer(stretch["from"], 1)
            extent["to"] = integer(stretch["to"], extent["from"] - 1)
            extent["previous_hash"], extent["peaks"] = hash_of(stretch["previous_hash"]), hashes(stretch["peaks"])
            need(len(extent["peaks"]) == bin(extent["from"] - 1).count("1"))
            need(extent["from"] > 1 or extent["previous_hash"] == GENESIS)
            need(self.kind != "clinic" or extent["from"] == 1)
        return extent

    def compare_files(self, names):
        for name, (size, digest) in self.files.items():
            found, length = hashlib.sha256(), 0
            try:
                with self.zip.open(name) as file:
                    while block := file.read(1 << 20):
                        found.update(block)
                        length += len(block)
            except (KeyError, zipfile.BadZipFile, EOFError, ValueError, OSError):
                raise Unusable(f"{name} cannot be read from the bundle") from None
            if (length, found.digest()) != (size, digest):
                self.damaged.append(name)
        if sorted(names) != sorted([*LISTED, "manifest.json", "manifest.sha256"]):
            raise Unusable("the bundle holds other files than its manifest names")

    def read_proofs(self):
        try:
            for line in self.lines("proofs.ndjson"):
                value = parsed(line)
                need(type(value) is dict)
                if value.get("proof") == "event":
                    members(value, ["proof", "ledger", "position", "path"])
                    place = integer(value["ledger"], 1, 2), integer(value["position"], 1)
                    self.event_proofs[place] = hashes(value["path"])
                else:
                    members(value, ["proof", "patient", "count", "index", "bucket_size", "bucket_root", "path",
                                    "bucket_path"])
                    need(value["proof"] == "chart")
                    numbers = {name: integer(value[name], 0) for name in ("count", "index", "bucket_size")}
                    paths = {name: hashes(value[name]) for name in ("path", "bucket_path")}
                    root = {"bucket_root": hash_of(value["bucket_root"])}
                    self.chart_proofs[identifier(value["patient"])] = numbers | root | paths
        except Malformed:
            raise Unusable("proofs.ndjson does not hold proofs") from None

    def read(self, name):
        return self.zip.read(name)

    def lines(self, name):
        with self.zip.open(name) as file:
            yield from file


def verify(path, fingerprint, folder):
    """The report on a bundle."""
    bundle = Bundle(path)
    checkpoints = Checkpoints(bundle, fingerprint)
    anchors = Anchors(folder, bundle, checkpoints) if folder else None
    ledgers = []
    for number in LEDGERS:
        if bundle.kind == "patient":
            ledgers.append(walk_chart(bundle, number, checkpoints))
        else:
            ledgers.append(walk(bundle, number, checkpoints, anchors))
    findings = [finding for ledger in ledgers for finding in ledger.findings()]
    findings += [finding for finding in [checkpoints.finding, anchors and anchors.finding] if finding]
    findings += [{"verdict": "file_damaged", "file": name} for name in bundle.damaged]
    return {
        "outcome": "not_intact" if findings else "intact",
        "findings": findings,
        "kind": bundle.kind,
        "clinic": str(uuid.UUID(bytes=bundle.clinic)),
        "made_at": bundle.made_at_text,
        "last_checkpoint": checkpoints.last.number if checkpoints.last else None,
        "anchors_compared": len(anchors.compared) if anchors else None,
        **{LEDGERS[ledger.number]: summary(ledger) for ledger in ledgers},
    }


def summary(ledger):
    return {"rows": ledger.rows, "withheld": ledger.withheld, "opened": ledger.opened, "covered_upto": ledger.covered,
            "last": ledger.last}


def main():
    parser = argparse.ArgumentParser(description="Verifies an export bundle of Casebook, without Casebook.")
    parser.add_argument("bundle", type=pathlib.Path)
    parser.add_argument("--fingerprint", required=True, help="of the key, from outside: 64 hexadecimal digits")
    parser.add_argument("--anchors", type=pathlib.Path, help="the folder of anchored checkpoints")
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args()
    try:
        if not re.fullmatch("[0-9a-fA-F]{64}", options.fingerprint):
            raise Unusable("a fingerprint has 64 hexadecimal digits")
        if options.anchors and not options.anchors.is_dir():
            raise Unusable(f"{options.anchors} is not a folder")
        report = verify(options.bundle, bytes.fromhex(options.fingerprint), options.anchors)
    except Unusable as error:
        report = {"outcome": "unusable", "error": str(error)}
    print(json.dumps(report) if options.json else "\n".join(f"{key}: {value}" for key, value in report.items()))
    return {"intact": 0, "not_intact": 1, "unusable": 2}[report["outcome"]]


if __name__ == "__main__":
    sys.exit(main())
