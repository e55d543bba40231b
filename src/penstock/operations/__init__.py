"""The verbs that change rows. REST routes, the engine and (later) schedules call the same ones."""
