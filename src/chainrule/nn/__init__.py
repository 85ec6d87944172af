"""The open vocabulary of networks: each member says in the graph's language what it computes."""
