import pytest
import torch
from transformers import VideoMAEImageProcessorPil

from models.preprocess import PixelScale, normalise_pixels

IMAGENET = PixelScale((0.485 * 255, 0.456 * 255, 0.406 * 255), (0.229 * 255, 0.224 * 255, 0.225 * 255))


def test_pixels_are_those_of_the_published_processor() -> None:
    clip = torch.randint(0, 256, (1, 4, 32, 32, 3), dtype=torch.uint8, generator=torch.manual_seed(0))
    processor = VideoMAEImageProcessorPil(
        do_resize=False, do_center_crop=False, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225]
    )

    theirs = processor(list(clip[0].numpy()), return_tensors="pt")["pixel_values"]

    assert torch.allclose(normalise_pixels(clip, IMAGENET), theirs, atol=1e-5)


@pytest.mark.parametrize(
    "clips",
    [torch.zeros(16, 8, 8, 3, dtype=torch.uint8), torch.zeros(1, 2, 8, 8, 3), torch.zeros(1, 2, 3, 8, 8).byte()],
)
def test_another_shape_or_dtype_is_refused(clips: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="clips must be"):
        normalise_pixels(clips, IMAGENET)
