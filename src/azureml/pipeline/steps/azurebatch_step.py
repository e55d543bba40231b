"""The step that runs a program on Azure Batch. It takes its place in a pipeline; this version can't run it."""

from __future__ import annotations

from typing import Any, Optional, Sequence

from azureml.pipeline.steps._described_step import DescribedStep, need_kind, need_target, need_text


class AzureBatchStep(DescribedStep):
    """A step that runs a program on Azure Batch.

    It can be built, drawn and written to YAML. Nothing here can run it: a pipeline that has one is refused when it is submitted or
    published.

    Args:
        name: The step's name.
        create_pool: Whether to make the pool.
        pool_id: The pool.
        delete_batch_job_after_finish: Whether the job is deleted at the end.
        delete_batch_pool_after_finish: Whether the pool is deleted at the end.
        is_positive_exit_code_failure: Whether an exit code above 0 means failure.
        vm_image_urn: The image of the pool's machines.
        run_task_as_admin: Whether the program runs as an administrator.
        target_compute_nodes: How many machines are added to the pool.
        vm_size: Their size.
        source_directory: A folder whose files are placed with the program.
        executable: The program.
        arguments: What the program is given.
        inputs: What it reads.
        outputs: What it writes.
        allow_reuse: Whether the result of an earlier run may be taken when nothing has changed.
        compute_target: A BatchCompute, or its name.
        version: A text that forces a new definition when it changes.

    Raises:
        ValueError: An argument is missing or of the wrong type.
    """

    _kind, _execution_type = "AzureBatchStep", "AzureBatchCloud"

    def __init__(
        self,
        name: str,
        create_pool: bool = False,
        pool_id: Optional[str] = None,
        delete_batch_job_after_finish: bool = True,
        delete_batch_pool_after_finish: bool = False,
        is_positive_exit_code_failure: bool = True,
        vm_image_urn: str = "urn:MicrosoftWindowsServer:WindowsServer:2012-R2-Datacenter",
        run_task_as_admin: bool = False,
        target_compute_nodes: int = 1,
        vm_size: str = "standard_d1_v2",
        source_directory: Any = None,
        executable: Optional[str] = None,
        arguments: Optional[Sequence[Any]] = None,
        inputs: Optional[Sequence[Any]] = None,
        outputs: Optional[Sequence[Any]] = None,
        allow_reuse: bool = True,
        compute_target: Any = None,
        version: Optional[str] = None,
    ) -> None:
        need_text("an AzureBatchStep", name=name)
        place = f"Step '{name}'"
        need_text(place, executable=executable)
        need_target(place, compute_target)
        need_kind(place, str, "a text", pool_id=pool_id, vm_image_urn=vm_image_urn, vm_size=vm_size)
        need_kind(place, int, "a whole number", target_compute_nodes=target_compute_nodes)
        switches = {
            "create_pool": create_pool,
            "delete_batch_job_after_finish": delete_batch_job_after_finish,
            "delete_batch_pool_after_finish": delete_batch_pool_after_finish,
            "is_positive_exit_code_failure": is_positive_exit_code_failure,
            "run_task_as_admin": run_task_as_admin,
        }
        need_kind(place, bool, "True or False", **switches)
        settings = {
            **switches,
            "pool_id": pool_id,
            "vm_image_urn": vm_image_urn,
            "target_compute_nodes": target_compute_nodes,
            "vm_size": vm_size,
            "executable": executable,
        }
        super().__init__(
            name,
            compute_target,
            settings,
            inputs=inputs,
            outputs=outputs,
            arguments=arguments,
            source_directory=source_directory,
            allow_reuse=allow_reuse,
            version=version,
        )


__all__ = ["AzureBatchStep"]
