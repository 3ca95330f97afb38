"""The two operations that TensorFlow and JAX do differently: compiling a function, and a training step.

Keras runs on either. A release needs TensorFlow in any case, to write the SavedModels; machines with a GPU often have
JAX, which trains the same networks there in minutes (``KERAS_BACKEND=jax``).
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
    """Compile a function of tensors as a graph; operations without a fused form in TensorFlow are allowed."""
    return jax.jit(function) if JAX else tf.function(function)


def fused(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of tensors by XLA, which needs few passes over the memory."""
    return jax.jit(function) if JAX else tf.function(function, jit_compile=True)


def use_threads(count: int) -> None:
    """Set the number of threads for this process's computations; call it before the first one."""
    if not JAX:
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(1)


class Learner:
    """A network with its optimizer and its loss, trained step by step.

    Parameters
    ----------
    network : keras.Model
    optimizer : keras.optimizers.Optimizer
        Optimizer, already built for the network's trainable variables.
    loss : callable
        Function of targets and answers; one value per picture.
    """

    def __init__(self, network: Any, optimizer: Any, loss: Any) -> None:
        self._network, self._optimizer, self._loss = network, optimizer, loss
        self._groups = (network.trainable_variables, network.non_trainable_variables, optimizer.variables)
        self._carried: list[list[Any]] | None = None
        self._advance = self._of_jax() if JAX else self._of_tensorflow()

    def __call__(self, pictures: Any, targets: Any, rate: float) -> float:
        """Train on a batch at a learning rate; return the mean loss before the step."""
        return float(self._advance(pictures, targets, rate))

    def variables(self) -> list[Any]:
        """Return the variables of the network and the optimizer after the last step."""
        self.settle()
        return [*self._network.variables, *self._optimizer.variables]

    def settle(self) -> None:
        """Copy the state that JAX carries from step to step back to the variables."""
        for variables, values in zip(self._groups, self._carried or (), strict=False):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        self._carried = None

    def _of_tensorflow(self) -> Callable[..., Any]:
        network, optimizer = self._network, self._optimizer

        @tf.function  # type: ignore[untyped-decorator]  # TensorFlow ships no types
        def step(pictures: Any, targets: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(self._loss(targets, network(pictures, training=True)))
            optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
            return loss

        def advance(pictures: Any, targets: Any, rate: float) -> Any:
            optimizer.learning_rate.assign(rate)
            return step(pictures, targets)

        return advance

    def _of_jax(self) -> Callable[..., Any]:
        network, optimizer = self._network, self._optimizer

        def loss_of(trainable: Any, other: Any, pictures: Any, targets: Any) -> Any:
            answers, other = network.stateless_call(trainable, other, pictures, training=True)
            return keras.ops.mean(self._loss(targets, answers)), other

        def step(state: Any, pictures: Any, targets: Any) -> Any:
            trainable, other, moments = state
            (loss, other), gradient = jax.value_and_grad(loss_of, has_aux=True)(trainable, other, pictures, targets)
            trainable, moments = optimizer.stateless_apply(moments, gradient, trainable)
            return loss, [trainable, other, moments]

        compiled = jax.jit(step, donate_argnums=0)
        place = [variable is optimizer.learning_rate for variable in optimizer.variables].index(True)

        def advance(pictures: Any, targets: Any, rate: float) -> Any:
            state = self._carried or [[jax.numpy.array(one.value) for one in group] for group in self._groups]
            state[2][place] = jax.numpy.asarray(rate, "float32")
            loss, self._carried = compiled(state, pictures, targets)
            return loss

        return advance
