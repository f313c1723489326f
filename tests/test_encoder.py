import pytest
import torch

from treaty_clauses.encoder import CharEncoder, EncoderConfig, HubEncoder

CONFIG = EncoderConfig(vocabulary_size=20, hidden_size=16, layers=2, heads=2, intermediate_size=16, mixing_size=4)


@pytest.fixture(scope="module")
def encoder() -> CharEncoder:
    torch.manual_seed(0)
    return CharEncoder(CONFIG).eval()


def test_padding_changes_nothing(encoder: CharEncoder) -> None:
    characters = torch.randint(4, 20, (1, 6))
    boundaries = torch.full((1, 6), 4)
    plain = encoder(characters, boundaries, torch.ones(1, 6, dtype=torch.long))
    padding = torch.zeros(1, 4, dtype=torch.long)
    mask = torch.cat([torch.ones(1, 6, dtype=torch.long), padding], dim=1)
    padded = encoder(torch.cat([characters, padding], 1), torch.cat([boundaries, padding], 1), mask)
    assert padded.shape == (1, 10, 16)
    assert torch.allclose(padded[:, :6], plain, atol=1e-5)


def test_windows_of_a_batch_do_not_see_one_another(encoder: CharEncoder) -> None:
    characters = torch.randint(4, 20, (3, 8))
    boundaries = torch.ones(3, 8, dtype=torch.long)
    mask = torch.ones(3, 8, dtype=torch.long)
    together = encoder(characters, boundaries, mask)
    alone = torch.cat([encoder(characters[i : i + 1], boundaries[:1], mask[:1]) for i in range(3)])
    assert torch.allclose(together, alone, atol=1e-5)


def test_characters_boundaries_and_hints_all_count(encoder: CharEncoder) -> None:
    characters, boundaries = torch.full((1, 5), 7), torch.ones(1, 5, dtype=torch.long)
    base = encoder(characters, boundaries)
    assert not torch.allclose(base, encoder(characters + 1, boundaries), atol=1e-4)
    assert not torch.allclose(base, encoder(characters, boundaries + 1), atol=1e-4)
    assert not torch.allclose(base, encoder(characters, boundaries, None, torch.randn(1, 5, 16)), atol=1e-4)


def test_a_hub_configuration_builds_an_encoder_of_the_same_make() -> None:
    table = {
        "model_type": "bert",
        "vocab_size": 20,
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    hub = HubEncoder(table).eval()
    hidden = hub(torch.full((2, 5), 7), torch.ones(2, 5, dtype=torch.long), torch.ones(2, 5, dtype=torch.long))
    assert hidden.shape == (2, 5, hub.hidden_size)
    assert table["model_type"] == "bert", "the table is not changed"
