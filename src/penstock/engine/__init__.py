"""The loops: read rows, run processes, write rows. It meets the service in rows and nowhere else."""
