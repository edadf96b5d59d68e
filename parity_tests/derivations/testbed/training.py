"""Wrong formulas about training: dropout, optimisers, labels, the softmax's Jacobian, sums by index. See testbed."""

from __future__ import annotations

from parity_tests.derivations.testbed.wrong import Wrong

_SUBTRACTED = "dscores = probs\ndscores[range(m), y] -= 1"


def _entries(term: str, average: str = "\ndW /= m") -> str:
    loops = "for i in range(n):\n    for j in range(n_prev):\n        for e in range(m):\n"
    return f"dW = np.zeros((n, n_prev))\n{loops}            dW[i, j] += {term}{average}"


TRAINING: tuple[Wrong, ...] = (
    # dropout
    Wrong("dropout", "dA = dA_drop / keep_prob", "dropout-mask-forgotten-backward"),
    Wrong("dropout", "dA1 = dA1 / keep_prob", "dropout-mask-forgotten-backward"),
    Wrong("dropout", "dA = dA_drop * D", "dropout-not-rescaled"),
    Wrong("dropout", "A = A * D", "dropout-not-rescaled"),
    Wrong("dropout", "A_drop = np.multiply(A, D)", "dropout-not-rescaled"),
    Wrong("dropout", "A = np.multiply(A, D)\nA = A * keep_prob", "dropout-not-rescaled"),
    Wrong("dropout", "A = A * D / (1 - keep_prob)", "keep-prob-inverted"),
    Wrong("dropout", "D = U > keep_prob", "keep-prob-inverted"),
    Wrong("dropout", "dA = dA_drop", "dropout-mask-forgotten-backward + dropout-not-rescaled"),
    # momentum and RMSprop
    Wrong("momentum", "v = beta * v + dW", "average-weight-missing"),
    Wrong("momentum", "v = (1 - beta) * v + beta * dW", "beta-swapped"),
    Wrong("momentum", "v = beta * v - (1 - beta) * dW", "sign"),
    Wrong("momentum", "W = W - alpha * dW", "wrong-symbol"),
    Wrong("momentum", "W = W - v", "learning-rate-missing"),
    Wrong("momentum", "W = W + alpha * v", "sign"),
    Wrong("rmsprop", "s = beta2 * s + (1 - beta2) * dW", "square-missing"),
    Wrong("rmsprop", "s = beta2 * s + dW**2", "average-weight-missing"),
    Wrong("rmsprop", "W = W - alpha * dW / (s + epsilon)", "root-missing"),
    Wrong("rmsprop", "W = W - alpha * dW / np.sqrt(s + epsilon)", "epsilon-inside-root"),
    Wrong("rmsprop", "W = W - alpha * dW / np.sqrt(s)", "epsilon-missing"),
    # Adam
    Wrong("adam", "v_corrected = v / (1 - beta1)", "adam-no-power"),
    Wrong("adam", "s_hat = s / (1 - beta2)", "adam-no-power"),
    Wrong("adam", "W = W - alpha * (v/(1-beta1)) / (np.sqrt(s/(1-beta2)) + epsilon)", "adam-no-power"),
    Wrong("adam", "v = beta1*v + (1-beta1)*dW\nv = v / (1 - beta1**t)", "adam-correction-overwritten"),
    Wrong("adam", "s = (beta2*s + (1-beta2)*dW**2) / (1 - beta2**t)", "adam-correction-overwritten"),
    Wrong("adam", "W = W - alpha * v / (np.sqrt(s) + epsilon)", "adam-correction-missing"),
    Wrong("adam", "W = W - alpha * v_corrected / (np.sqrt(s) + epsilon)", "adam-correction-missing"),
    Wrong("adam", "W = W - alpha * v_corrected / np.sqrt(s_corrected + epsilon)", "epsilon-inside-root"),
    Wrong("adam", "W = W - alpha * v_corrected / (s_corrected + epsilon)", "root-missing"),
    Wrong("adam", "s_corrected = s / (1 - beta1**t)", "wrong-symbol"),
    Wrong("adam", "v = beta2 * v + (1 - beta2) * dW", "wrong-symbol"),
    # a parameter that is new too early
    Wrong("layer", "W = W - alpha * dW\ndA_prev = W.T @ dZ", "updated-before-use"),
    Wrong("shallow", "W2 = W2 - alpha * dW2\ndZ1 = W2.T @ dZ2 * g1'(Z1)", "updated-before-use"),
    Wrong("convolution", "W = W - alpha * dW\ndA_prev = col2im(dZ.reshape(-1, n_C) @ W.reshape(-1, n_C).T, "
          "n_H_prev, n_W_prev, f, s, p)", "updated-before-use"),
    # labels
    Wrong("labels", "dscores = probs\ndscores /= m", "label-not-subtracted"),
    Wrong("labels", _SUBTRACTED, "missing-1/m"),
    Wrong("labels", f"{_SUBTRACTED.replace('-=', '+=')}\ndscores /= m", "sign"),
    Wrong("labels", "dscores = probs\ndscores[y, range(m)] -= 1\ndscores /= m", "index-order"),
    Wrong("labels", "loss = np.sum(np.log(probs[range(m), y])) / m", "sign"),
    Wrong("labels", "loss = -np.sum(np.log(probs[range(m), y]))", "missing-1/m"),
    Wrong("labels", "probs = np.exp(scores) / np.sum(np.exp(scores))", "wrong-axis"),
    Wrong("labels", "probs = np.exp(scores) / np.sum(np.exp(scores), axis=1)", "keepdims-missing"),
    Wrong("labels", "dW = (1/m) * X.T @ dscores", "double-1/m"),
    Wrong("labels", "dW = X @ dscores", "transpose-missing"),
    Wrong("labels", "db = np.sum(dscores, axis=1)", "db-wrong-axis"),
    # the softmax's Jacobian
    Wrong("softmax-jacobian", "dZ = dA * A * (1 - A)", "softmax-elementwise"),
    Wrong("softmax-jacobian", "dz = da * a * (1 - a)", "softmax-elementwise"),
    Wrong("softmax-jacobian", "jacobian = np.diag(a * (1 - a))", "softmax-elementwise"),
    Wrong("softmax-jacobian", "jacobian = np.diag(a) + np.outer(a, a)", "sign"),
    Wrong("softmax-jacobian", "dZ = A * (dA - np.sum(A * dA))", "wrong-axis"),
    Wrong("softmax-jacobian", "dZ = A * (dA - np.sum(A * dA, axis=1, keepdims=True))", "wrong-axis"),
    # sums by index, and helpers
    Wrong("layer", _entries("dA[i, e] * g(Z[i, e]) * A_prev[j, e]"), "g-for-gprime"),
    Wrong("layer", _entries("dZ[i, e] * A_prev[e, j]"), "index-order"),
    Wrong("layer", _entries("dA[i, e] * A_prev[j, e]"), "gprime-missing"),
    Wrong("layer", _entries("dZ[i, e] * A_prev[j, e]", ""), "missing-1/m"),
    Wrong("layer", _entries("dZ[i, e] * A_prev[j, e]").replace("+=", "="), "overwritten"),
    Wrong("shallow", "slope = 1 - A1\ndZ1 = W2.T @ dZ2 * slope", "square-missing"),
)  # fmt: skip
