"""The one declaration of what comes in, what stands in the graph, and what is generated from both.

`signals` declares the files upstream systems deliver, `graph` the nodes and relationships made from them;
`cypher` and `layout` are generated from those. Nothing here knows a server, a file or a model.
"""
