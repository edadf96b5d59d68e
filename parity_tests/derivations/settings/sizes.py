"""What has no J: sizes of outputs, numbers of parameters, and the scales of initial weights."""

from __future__ import annotations

from dataclasses import replace

from parity_tests.derivations.settings.reference import reference

NAMES = "n_H_prev n_W_prev f stride pad n_C_prev n_C n_prev n"
SIZES = """\
29 23 5 3 2 7 11 13 17 | \
37 31 11 1 3 13 17 19 23 | \
41 37 7 4 0 19 13 11 29 | \
47 43 3 5 1 11 7 17 13 | \
53 59 13 7 4 17 5 23 11"""
"""A stride above 1 leaves a remainder."""

COUNTS = reference(f"""\
sizes: output sizes of a convolution, and the numbers of parameters of a convolution and of a dense layer
cost: there is no J: sizes and parameters are counted; L2 plays no part
sizes: {NAMES} = {SIZES}
torch: sizes
also: s = stride, p = pad
n_H_prev  # height of the input
n_W_prev  # width of the input
f  # height and width of a filter
stride  # step from window to window, also s
pad  # zeros around the input, also p
n_C_prev  # channels of the input
n_C  # number of filters
n_prev  # inputs of a dense layer
n  # units of a dense layer
n_H = np.floor((n_H_prev + 2*pad - f) / stride) + 1  # F223 F231 F239 [count]; height of the output
n_W = np.floor((n_W_prev + 2*pad - f) / stride) + 1  # F223 F231 F239 [count]; width of the output
same_pad = (f - 1) / 2  # F221 [count]; padding that keeps the size, for an odd filter and stride 1
conv_parameters = (f*f*n_C_prev + 1) * n_C  # F243 [count]; parameters of the convolution, biases included
conv_weights = f * f * n_C_prev * n_C  # F237 [count]; parameters of the convolution without biases
dense_parameters = (n_prev + 1) * n  # F241 F242 [count]; parameters of the dense layer, biases included
dense_weights = n * n_prev  # F240 [count]; parameters of the dense layer without biases
""")
COUNTS = replace(COUNTS, layers={"n": tuple(NAMES.split())})

INITIALIZATION = reference("""\
initialization: standard deviation of the initial weights of a layer
cost: there is no J: a scale is the standard deviation that the draws are multiplied with; L2 plays no part
sizes: n_prev n = 17 29 | 31 19 | 23 41 | 43 37 | 29 53
torch: scales
also: n_in = n_prev, n_out = n, fan_in = n_prev, fan_out = n
n_prev  # number of units of the layer below, fan-in
n  # number of units of the layer, fan-out
he = np.sqrt(2/n_prev)  # F147 [scale]; scale for ReLU layers
xavier = np.sqrt(2/(n_prev + n))  # F147 [scale]; scale between fan-in and fan-out, for tanh and sigmoid layers
lecun = 1/np.sqrt(n_prev)  # F147 [scale]; scale from the fan-in alone
small = 0.01  # F144 [scale]; scale for shallow networks
""")
INITIALIZATION = replace(INITIALIZATION, layers={"n": ("n_prev", "n")})
