"""What TensorFlow and JAX do differently: compiling a function, and sharing the processor.

Keras runs on either. TensorFlow is what a release needs anyway, to write the SavedModels; JAX is what machines with a
GPU tend to have, and trains the same networks there in minutes (``KERAS_BACKEND=jax``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from collections.abc import Callable

JAX = keras.backend.backend() == "jax"

if JAX:
    import jax
else:
    import tensorflow as tf


def traced(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of tensors as a graph; what has no fused form in TensorFlow may stand in it."""
    return jax.jit(function) if JAX else tf.function(function)


def fused(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of tensors by XLA into few passes over the memory."""
    return jax.jit(function) if JAX else tf.function(function, jit_compile=True)


def use_threads(count: int) -> None:
    """Let this process compute on so many threads; to be called before anything is computed."""
    if not JAX:
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(1)
