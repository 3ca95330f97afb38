"""The operator's part: the gateway, the networks beside it, and the commands for both."""
