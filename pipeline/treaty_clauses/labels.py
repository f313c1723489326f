"""Closed label sets of the annotation guidelines (sections 2 to 5)."""

from enum import StrEnum


class ClauseType(StrEnum):
    """What a clause does (guidelines section 2); the declaration order is the order of tables and model outputs."""

    CEASEFIRE = "ceasefire"
    WITHDRAWAL = "withdrawal"
    DEMILITARIZATION = "demilitarization"
    TERRITORY = "territory"
    RECOGNITION = "recognition"
    FORCE_LIMITS = "force_limits"
    FOREIGN_FORCES = "foreign_forces"
    ALLIANCE = "alliance"
    SECURITY_GUARANTEE = "security_guarantee"
    NON_AGGRESSION = "non_aggression"
    ARMS_CONTROL = "arms_control"
    SANCTIONS = "sanctions"
    ASSETS = "assets"
    RECONSTRUCTION = "reconstruction"
    TRADE = "trade"
    MEMBERSHIP = "membership"
    PRISONERS = "prisoners"
    HUMANITARIAN = "humanitarian"
    ACCOUNTABILITY = "accountability"
    AMNESTY = "amnesty"
    ELECTION = "election"
    GOVERNANCE = "governance"
    RIGHTS_CULTURE = "rights_culture"
    ENERGY_INFRASTRUCTURE = "energy_infrastructure"
    TRANSIT = "transit"
    NEGOTIATION = "negotiation"
    IMPLEMENTATION = "implementation"
    OTHER = "other"


class Modality(StrEnum):
    """What the norm would do (guidelines section 3)."""

    OBLIGATION = "obligation"
    PROHIBITION = "prohibition"
    PERMISSION = "permission"
    RIGHT = "right"
    CONSTITUTIVE = "constitutive"


class Status(StrEnum):
    """How far the norm has come, as the article tells it last (guidelines section 3)."""

    PROPOSED = "proposed"
    DEMANDED = "demanded"
    AGREED = "agreed"
    IN_FORCE = "in_force"
    REJECTED = "rejected"
    ENDED = "ended"


class ActorKind(StrEnum):
    """What an actor is (guidelines section 4)."""

    STATE = "state"
    ORGANIZATION = "organization"
    ARMED_GROUP = "armed_group"
    PERSON = "person"
    BODY = "body"
    PLACE = "place"


class Role(StrEnum):
    """How an actor takes part in a clause (guidelines section 4)."""

    BEARER = "bearer"
    COUNTERPARTY = "counterparty"
    TERRITORY = "territory"
    PROPOSERS = "proposers"


class TermRole(StrEnum):
    """What a numeric term fixes (guidelines section 5)."""

    TROOP_CAP = "troop_cap"
    WEAPON_LIMIT = "weapon_limit"
    ASSET_SUM = "asset_sum"
    SHARE = "share"
    DEADLINE = "deadline"
    DURATION = "duration"
    START_DATE = "start_date"
    DISTANCE = "distance"
    AREA = "area"
    HEADCOUNT = "headcount"
    QUANTITY = "quantity"


class Comparator(StrEnum):
    """How a number bounds what it measures (guidelines section 5)."""

    EQ = "eq"
    APPROX = "approx"
    LE = "le"
    LT = "lt"
    GE = "ge"
    GT = "gt"
    RANGE = "range"
