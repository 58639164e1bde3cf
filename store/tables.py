"""Owns the schema (SQLAlchemy Core), readable as a document.

Names end in their unit: `_micros` is money in millionths of the currency, `_us` and every `UtcTime`
are microseconds (times since 1970, UTC). Secrets are ciphertext of the vault. The journal's tables
carry no foreign keys: a call must reach its CDR whatever became of its profile.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    func,
)

from store.columns import UtcTime

SCHEMA_VERSION = 1

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)

# ---- configuration ----

managers = Table(
    "managers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("country", String(2), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("zone", String, nullable=False),
    Column("verified", Boolean, nullable=False),
)

profiles = Table(
    "profiles",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("manager_id", ForeignKey("managers.id"), nullable=False, index=True),
    Column("name", String, nullable=False, unique=True),
    Column("username", String, nullable=False, unique=True),
    Column("password", LargeBinary, nullable=False),
    Column("mode", String, nullable=False),
    Column("host", String),  # mode IP
    Column("port", Integer),
    Column("transport", String, nullable=False),
    Column("channels", Integer, nullable=False),
    Column("subscription", String, nullable=False),
    Column("dialect", String, nullable=False),
    Column("srtp", String, nullable=False),
    Column("sha256", Boolean, nullable=False),
    Column("require_tls", Boolean, nullable=False),
    Column("caller_id", String, nullable=False),
    Column("caller_id_by_country", JSON, nullable=False),  # called country to number (R113)
    CheckConstraint("channels between 0 and 300", name="channels"),  # R25
    UniqueConstraint("host", "port"),  # two trunks on one address could not be told apart
)

# Replaced ones that still sign calls, until the binding made with them expires (R83).
old_passwords = Table(
    "old_passwords",
    metadata,
    Column("profile_id", ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("password", LargeBinary, nullable=False),
    Column("valid_until", UtcTime, nullable=False),
)

onnet_accounts = Table(
    "onnet_accounts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("password", LargeBinary, nullable=False),
    Column("profile_id", ForeignKey("profiles.id"), index=True),
    Column("extension", String, nullable=False),
)
Index("uq_onnet_accounts_name", func.lower(onnet_accounts.c.name), unique=True)

numbers = Table(
    "numbers",
    metadata,
    Column("number", String, primary_key=True),  # E.164 with "+"
    Column("profile_id", ForeignKey("profiles.id"), index=True),
    Column("suspended", Boolean, nullable=False),
)

carriers = Table(
    "carriers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("host", String, nullable=False),
    Column("port", Integer, nullable=False),
    Column("transport", String, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("weight", Integer, nullable=False),
    Column("max_calls", Integer, nullable=False),  # 0: no limit
    Column("options_interval_s", Float, nullable=False),  # 0: never asked
    Column("response_timeout_s", Float, nullable=False),
    Column("username", String, nullable=False),
    Column("password", LargeBinary, nullable=False),
    Column("srtp", String, nullable=False),
    Column("plus", Boolean, nullable=False),
    Column("match_port", Boolean, nullable=False),
    Column("enabled", Boolean, nullable=False),
    CheckConstraint("weight between 0 and 65535", name="weight"),  # RFC 2782
    CheckConstraint("max_calls >= 0", name="max_calls"),
    CheckConstraint("options_interval_s >= 0", name="options_interval_s"),
    CheckConstraint("response_timeout_s > 0", name="response_timeout_s"),
)

decks = Table(
    "decks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("version", String, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("valid_from", UtcTime),  # NULL: loaded, not in force
    UniqueConstraint("name", "version"),
)

rates = Table(
    "rates",
    metadata,
    Column("deck_id", ForeignKey("decks.id"), primary_key=True),
    Column("prefix", String, primary_key=True),
    Column("destination", String, nullable=False),
    Column("per_min_micros", BigInteger, nullable=False),
    Column("connect_micros", BigInteger, nullable=False),
    Column("first_s", Integer, nullable=False),
    Column("step_s", Integer, nullable=False),
)

# ---- where AORs can be reached ----

bindings = Table(
    "bindings",
    metadata,
    Column("owner", String, primary_key=True),
    Column("owner_id", Integer, primary_key=True, autoincrement=False),
    Column("contact", String, primary_key=True),
    Column("transport", String, nullable=False),
    Column("local_host", String, nullable=False),
    Column("local_port", Integer, nullable=False),
    Column("remote_host", String, nullable=False),
    Column("remote_port", Integer, nullable=False),
    Column("sip_call_id", String, nullable=False),
    Column("cseq", BigInteger, nullable=False),
    Column("q", Integer, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("user_agent", String, nullable=False),
    Column("instance", String, nullable=False),
    Column("nat", Boolean, nullable=False),
    Column("signed_with", String, nullable=False),
)

# ---- money (R66) ----

accounts = Table(
    "accounts",
    metadata,
    Column("name", String, primary_key=True),
    Column("balance", BigInteger, nullable=False),
    # The world's accounts give and take without end; nobody else falls below zero (R63).
    CheckConstraint("balance >= 0 OR name LIKE 'world:%'", name="balance"),
)

entries = Table(
    "entries",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("at", UtcTime, nullable=False, index=True),
    Column("ref", String, nullable=False),
)

postings = Table(
    "postings",
    metadata,
    Column("entry_id", ForeignKey("entries.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("account", ForeignKey("accounts.name"), nullable=False, index=True),
    Column("micros", BigInteger, nullable=False),
)

# ---- calls ----

open_calls = Table(
    "open_calls",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("profile_id", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("direction", String, nullable=False),
    Column("caller", String, nullable=False),
    Column("called", String, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("a_sip_call_id", String, nullable=False),
    Column("admitted_micros", BigInteger, nullable=False),  # held before dialling
    Column("held_micros", BigInteger, nullable=False),  # held now
    Column("currency", String, nullable=False),
    Column("rate_prefix", String, nullable=False),
    Column("rate_destination", String, nullable=False),
    Column("rate_per_min_micros", BigInteger, nullable=False),
    Column("rate_connect_micros", BigInteger, nullable=False),
    Column("rate_first_s", Integer, nullable=False),
    Column("rate_step_s", Integer, nullable=False),  # 0: the call is not rated
    Column("answered_at", UtcTime),
    Column("last_beat_at", UtcTime),
    Column("target", String, nullable=False),
    Column("a_dialog", String, nullable=False),
    Column("b_dialog", String, nullable=False),
)

cdrs = Table(
    "cdrs",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("profile_id", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("direction", String, nullable=False),
    Column("caller", String, nullable=False),
    Column("called", String, nullable=False),
    Column("started_at", UtcTime, nullable=False, index=True),
    Column("answered_at", UtcTime),
    Column("ended_at", UtcTime, nullable=False),
    Column("duration_us", BigInteger, nullable=False),
    Column("billed_s", Integer, nullable=False),
    Column("charge_micros", BigInteger, nullable=False),
    Column("currency", String, nullable=False),
    Column("rate_prefix", String, nullable=False),
    Column("rate_per_min_micros", BigInteger, nullable=False),
    Column("derivation", String, nullable=False),
    Column("cause", String, nullable=False),
    Column("sip_status", Integer, nullable=False),
    Column("refusal", String, nullable=False),
    Column("target", String, nullable=False),
    Column("attempts", String, nullable=False),
    Column("a_sip_call_id", String, nullable=False),
    Column("b_sip_call_id", String, nullable=False),
    Column("media", String, nullable=False),
    Index("ix_cdrs_profile_id_started_at", "profile_id", "started_at"),
)
