"""How the graph looks in Neo4j Browser: a .grass sheet, from the graph's declaration and the marks."""

from ringwatch.graph_schema.browser.marks import DECIDED, SAID
from ringwatch.graph_schema.graph import ACCOUNT, NODES

_CLEAR, _RING, _IDENTIFIER = "#8fb8de", "#3d405b", "#d8dbe2"


def grass() -> str:
    """The style sheet. Later rules win; a node's marks come after its kind."""
    rules = [
        _rule("node", diameter="50px", color=_IDENTIFIER, border_color="#9aa0ac", text_color_internal="#2b2d33"),
        *(
            _rule(f"node.{node.label}", diameter="34px", color=_IDENTIFIER, caption=f"'{{{node.key}}}'")
            for node in NODES
            if node is not ACCOUNT
        ),
        _rule("node.Account", diameter="50px", color=_CLEAR, caption="'{account_id}'"),
        _rule("node.Ring", diameter="80px", color=_RING, text_color_internal="#ffffff", caption="'{ring_id}'"),
        _rule("node.ReviewQuestion", color="#ffffff", caption="'{why}'"),
        *(_rule(f"node.{mark.label}", color=mark.colour, text_color_internal="#ffffff") for mark in SAID),
        *(_rule(f"node.{mark.label}", border_color=mark.colour, border_width="9px") for mark in DECIDED),
        _rule("relationship", color="#a5abb6", shaft_width="1px", font_size="8px", caption="'<type>'"),
        _rule("relationship.MEMBER_OF_RING", color=_RING, shaft_width="2px", caption="''"),
    ]
    return "\n".join(rules)


def _rule(selector: str, **properties: str) -> str:
    lines = "".join(f"  {name.replace('_', '-')}: {value};\n" for name, value in properties.items())
    return f"{selector} {{\n{lines}}}\n"
