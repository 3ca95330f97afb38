"""What an operator starts: the gateway, the networks beside it, and the commands for both."""
