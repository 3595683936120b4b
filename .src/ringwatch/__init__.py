"""Finds networks of fake accounts. The packages are links to the folders of the repository's top level.

So everything is imported as `ringwatch.*`, by an installed wheel, an editable install, mypy and editors alike.
"""
