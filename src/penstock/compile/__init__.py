"""From what a user wrote to a checked and fingerprinted graph. Client and service both call it: the service trusts no client."""
