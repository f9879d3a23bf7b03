"""A small backbone with fixed random weights, in place of one that would be downloaded."""

import torch
from torch import nn


def make_backbone(n_channels=1, seed=0):
    """Make a network with two blocks, whose maps are half as large in the second."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Conv2d(n_channels, 16, 5, padding=2),
            nn.BatchNorm2d(16),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(32, 4),
        )
        # Statistics that are not those of a new network.
        network[1].running_mean.normal_(0, 0.1)
    return network
