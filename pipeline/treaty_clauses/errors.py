"""Errors of the library; the class says what the caller can do about it."""


class TreatyClausesError(Exception):
    """Base of every error this package raises on purpose."""


class InputError(TreatyClausesError):
    """An article or file given by the user cannot be read; the rest of the batch can go on."""


class AnnotationError(TreatyClausesError):
    """A gold annotation contradicts its text or the guidelines; the annotator must mend it."""


class ConfigError(TreatyClausesError):
    """A recipe or option is unknown or out of range; the user must change it."""


class ModelError(TreatyClausesError):
    """A model folder is missing, damaged or of another version; it must be restored or trained again."""
