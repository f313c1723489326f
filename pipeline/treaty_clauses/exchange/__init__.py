"""Annotated articles to and from annotation tools: Label Studio, doccano, spaCy's DocBin.

Every format is a `Graph` of regions and relations (`graph`); a module a format reads and writes that graph.
"""
