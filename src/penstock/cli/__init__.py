"""The command line: `penstock run`, `runs`, `show`, `logs`, `cancel`, `explain`, `service`, `version`."""
